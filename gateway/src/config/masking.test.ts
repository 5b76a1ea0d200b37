import { describe, expect, test } from 'vitest'
import { maskedLine } from './masking.ts'

describe('a shown line keeps its shape and loses its secrets', () => {
  test.each([
    ['    secret: hunter2-hunter2', '    secret: ****'],
    ['  a: { secret: "one, two", kind: x }', '  a: { secret: ****, kind: x }'],
    ["  a: { secret: 'one }', kind: x }", '  a: { secret: ****, kind: x }'],
    ['  a: { secret: "broken', '  a: { secret: ****'],
    ['  Authorization: Bearer abc', '  Authorization: ****'],
    ['  x-api-key: abc # comment', '  x-api-key: ****'],
    ['  text: "use tw_0123456789abc please"', '  text: "use **** please"'],
    ['  - { x: eyJhbGciOiJIUzI1NiJ9.e30.abc }', '  - { x: **** }'],
    ['  url: https://example.com, env: { A: b, C: d }', '  url: https://example.com, env: { **** }'],
    ['  note: 0123456789abcdef0123456789abcdef', '  note: ****'],
  ])('%s', (line, shown) => {
    expect(maskedLine(line, [])).toBe(shown)
  })

  test.each([
    '    secret: ${OPENAI_API_KEY}',
    '  a: { secret: "${file:key.txt}", kind: x }',
    '  principal: alice',
    '  secret:',
    '  base_url: https://api.example.com/v1/some-long-path-with-2-digits',
  ])('but not what is none: %s', (line) => {
    expect(maskedLine(line, [])).toBe(line)
  })

  test('and a value that is secret by its place is hidden whatever its name', () => {
    expect(maskedLine('      x-anything: abc', ['servers', 'a', 'headers', 'x-anything'])).toBe('      x-anything: ****')
    expect(maskedLine('        abc', ['keys', 'a', 'secret'])).toBe('        ****')
  })
})
