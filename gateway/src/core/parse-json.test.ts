import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { parseJson } from './parse-json.ts'

// Each text on the left teaches V8 a key; the one on the right is then misread by a plain JSON.parse.
const poisoned: readonly (readonly [string, string, string])[] = [
  ['{"q1":[],"\\\\":1}', '{"q1":1,"\\"":2}', '"'],
  ['{"q2":[],"\\\\u":1}', '{"q2":1,"\\u0074o":2}', 'to'],
  ['{"q3":[],"\\\\u006":1}', '{"q3":1,"\\u006dodel":2}', 'model'],
]

describe('a key written with an escape', () => {
  test.each(poisoned)('after %s, %s has the key %j', (before, text, key) => {
    parseJson(before)
    expect(Object.keys(parseJson(text) as object)[1]).toBe(key)
  })

  test('is found behind white space and among escaped values', () => {
    expect(parseJson('{"v":"\\n: \\"x\\":", "w" : ["\\\\"], "\\n" \n : {"\\u0061" : [1, -2.5e3, true, null, {}, [] ]} }')).toEqual({
      v: '\n: "x":',
      w: ['\\'],
      '\n': { a: [1, -2500, true, null, {}, []] },
    })
  })
})

test('any value comes back as it was written', () => {
  const key = fc.oneof(fc.constantFrom('\\', '"', '\n', 'a', '__proto__', '\\u', 'to'), fc.string({ unit: 'binary', maxLength: 4 }))
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.double({ noDefaultInfinity: true, noNaN: true }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map(Object.fromEntries),
    ),
  }))
  fc.assert(
    fc.property(value, fc.boolean(), fc.boolean(), (written, pretty, asciiOnly) => {
      let text = JSON.stringify(written, null, pretty ? 2 : undefined)
      if (asciiOnly) text = text.replace(/[^\x20-\x7e\n]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)
      expect(JSON.stringify(parseJson(text))).toBe(JSON.stringify(written))
    }),
    { numRuns: 500 },
  )
})

test.each(['{"\\n":1', '{"\\x":1}', '["\\n":1]', ''])('%j is refused', (text) => {
  expect(() => parseJson(text)).toThrow(SyntaxError)
})

test('text beyond every depth is refused, not a crash', () => {
  expect(() => parseJson(`{"\\n":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)).toThrow(SyntaxError)
})
