import { describe, expect, test } from 'vitest'
import { maskedEntry, maskedLine } from './masking.ts'

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

describe('an entry is shown without its secrets', () => {
  test.each<[unknown, unknown]>([
    [
      { env: { A: 'hunter2', B: '${B}', C: '${file:./c}', D: '${D:-hunter2}', E: 7 } },
      { env: { A: '****', B: '${B}', C: '${file:./c}', D: '****', E: '****' } },
    ],
    [{ headers: { authorization: 'Bearer ${TOKEN}', 'x-team': 'a' } }, { headers: { authorization: 'Bearer ${TOKEN}', 'x-team': '****' } }],
    [{ url: 'https://me:hunter2@a.example/mcp?key=hunter2&b=${B}#c' }, { url: 'https://****@a.example/mcp?key=****&b=${B}#c' }],
    [
      { command: ['node', './a.js', '--api-key', 'hunter2', '--token=hunter2', '--token', '${T}', '--dir', './notes'] },
      { command: ['node', './a.js', '--api-key', '****', '--token=****', '--token', '${T}', '--dir', './notes'] },
    ],
    [{ command: ['./a', 'ghp_0123456789abcdef'] }, { command: ['./a', '****'] }],
    [
      { installed: { tree: 'sha256:0123456789abcdef0123456789abcdef' }, limits: { memory_mb: 64 }, mounts: [{ path: './a', write: true }] },
      { installed: { tree: 'sha256:0123456789abcdef0123456789abcdef' }, limits: { memory_mb: 64 }, mounts: [{ path: './a', write: true }] },
    ],
  ])('%j', (entry, shown) => {
    expect(maskedEntry(entry)).toEqual(shown)
  })
})

test('the keys of the vault are hidden, whatever they look like', () => {
  const shown = maskedEntry({ key: 'Zm9v/YmFy+8=', previous_keys: ['abc/def'], transit: { token: 's.x', key: 'turnward' } }, [
    'identity',
    'vault',
  ])
  expect(shown).toEqual({ key: '****', previous_keys: ['****'], transit: { token: '****', key: '****' } })
  expect(maskedEntry({ key: 'plain' }, ['servers', 'vault'])).toEqual({ key: 'plain' })
})

test('the secret of an edge is hidden in either form, whatever it looks like', () => {
  expect(maskedLine('  front: { secret: { header: x-edge, value: "plain words" }, headers: kong }', ['identity'])).not.toContain(
    'plain words',
  )
  expect(maskedLine('  value: "plain words"', ['identity', 'edges', 'front', 'secret', 'value'])).toBe('  value: ****')
})
