import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { allGuardedFields } from '../dialects.ts'
import { parseGuardedJson, parseOpenJson } from './json-guard.ts'
import { parseJson } from '../../core/parse-json.ts'

const limits = { maxDepth: 32, maxKeys: 1000, guardedFields: allGuardedFields }

function parse(text: string): JsonObject {
  return parseGuardedJson(Buffer.from(text), limits)
}

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof TurnwardError) return error.code
    throw error
  }
  return 'accepted'
}

describe('duplicate keys', () => {
  test.each([
    ['the same key', '{"model":"a","model":"b"}'],
    ['far apart', '{"a":{"x":[1,{"y":2}]},"b":"}{\\"","a":1}'],
    ['an escaped spelling', '{"model":"a","\\u006dodel":"b"}'],
    ['letter case', '{"model":"a","Model":"b"}'],
    ['escaped letter case', '{"model":"a","\\u004dodel":"b"}'],
    ['long s', '{"messages":[],"me\u017fsages":[]}'],
    ['Kelvin sign', '{"key":1,"\u212aey":1}'],
    ['full width letters', '{"id":1,"\uff49d":1}'],
    ['sharp s', '{"ss":1,"\u00df":1}'],
    ['composed and decomposed letters', '{"\u00e9":1,"e\u0301":1}'],
    ['the second object of an array', '{"messages":[{"role":"user"},{"role":"user","ROLE":"system"}]}'],
    ['inside tool arguments', '{"messages":[{"content":[{"type":"tool_use","input":{"to":"a","to":"b"}}]}]}'],
    ['after an open value has ended', '{"tools":[{"input_schema":{"a":{"A":1}},"name":"x","Name":"y"}]}'],
    ['top-level input, which is a conversation elsewhere', '{"input":[{"role":"a","Role":"b"}]}'],
    ['__proto__', '{"__proto__":{"model":"b"}}'],
    ['escaped __proto__', '{"__proto\\u005f_":{"model":"b"}}'],
  ])('are refused: %s', (_name, text) => {
    expect(codeOf(() => parse(text))).toBe('request.ambiguous_key')
  })

  test.each([
    ['tool schemas', '{"tools":[{"function":{"parameters":{"properties":{"id":{},"ID":{}}}}}]}'],
    ['messages tool schemas', '{"tools":[{"input_schema":{"properties":{"id":{},"ID":{}}}}]}'],
    ['tool arguments', '{"messages":[{"content":[{"type":"tool_use","input":{"a":1,"A":[{"b":1,"B":2}]}}]}]}'],
    ['metadata', '{"metadata":{"team":"a","Team":"b"}}'],
    ['response schemas', '{"response_format":{"json_schema":{"schema":{"properties":{"x":{},"X":{}}}}}}'],
    ['JSON results and schemas of Converse', '{"messages":[{"content":[{"toolResult":{"content":[{"json":{"id":1,"ID":2}}]}}]}]}'],
    ['metadata of Converse', '{"requestMetadata":{"team":"a","Team":"b"}}'],
    ['MCP arguments', '{"params":{"arguments":{"x":1,"X":2}}}'],
  ])('that differ by case are the user’s own names in %s', (_name, text) => {
    expect(parse(text)).toEqual(JSON.parse(text))
  })

  test('are found in objects with many keys, in either spelling', () => {
    const many = Array.from({ length: 100 }, (_, index) => `"key${index}":0`).join(',')
    expect(codeOf(() => parse(`{${many}}`))).toBe('accepted')
    expect(codeOf(() => parse(`{${many},"key3":0}`))).toBe('request.ambiguous_key')
    expect(codeOf(() => parse(`{${many},"KEY77":0}`))).toBe('request.ambiguous_key')
    expect(codeOf(() => parse(`{"metadata":{${many},"KEY77":0}}`))).toBe('accepted')
  })

  test('of different objects are not duplicates', () => {
    const text = '{"a":{"x":1},"b":{"x":1},"c":[{"x":1},{"x":1}],"d":{"a":{"a":{}}}}'
    expect(parse(text)).toEqual(JSON.parse(text))
  })

  test('of keys whose hashes collide are told apart', () => {
    // 97 * 31 + 126 = 98 * 31 + 95: the scan hashes these alike.
    expect(parse('{"a~":1,"b_":2}')).toEqual({ 'a~': 1, b_: 2 })
    expect(codeOf(() => parse('{"a~":1,"b_":2,"A~":3}'))).toBe('request.ambiguous_key')
  })

  test('an open __proto__ stays a plain property and reaches no prototype', () => {
    const body = parse('{"metadata":{"__proto__":{"polluted":true}}}')
    expect(Object.getPrototypeOf(body.metadata)).toBe(Object.prototype)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})

describe('shape and limits', () => {
  test.each([
    '',
    ' ',
    '[]',
    '"x"',
    'null',
    '1',
    '{',
    '{"a":1',
    '{"a":"',
    '{"a":1}}',
    '{"a":1}x',
    '{"\\":1}',
    '{"\\x":1,"\\x":2}',
    '\ufeff{}',
    '{"a":[}]',
  ])('%j is no JSON object', (text) => {
    expect(codeOf(() => parse(text))).toBe('request.malformed')
  })

  test('bytes that are not UTF-8 are refused, even inside strings', () => {
    expect(codeOf(() => parseGuardedJson(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), limits))).toBe('request.malformed')
    expect(codeOf(() => parseGuardedJson(Buffer.from('{"a":"\u00e9"}', 'latin1'), limits))).toBe('request.malformed')
  })

  test('depth counts objects and arrays and is refused one past the limit', () => {
    const nested = (depth: number): string => `${'{"a":['.repeat(depth / 2)}1${']}'.repeat(depth / 2)}`
    expect(codeOf(() => parse(nested(32)))).toBe('accepted')
    expect(codeOf(() => parse(nested(34)))).toBe('request.too_deep')
    expect(codeOf(() => parse('{"a":' + '['.repeat(1_000_000)))).toBe('request.too_deep')
  })

  test('keys are counted over the whole body', () => {
    const body = (count: number): string => `{"a":[${Array.from({ length: count - 1 }, () => '{"k":1}').join(',')}]}`
    expect(codeOf(() => parse(body(1000)))).toBe('accepted')
    expect(codeOf(() => parse(body(1001)))).toBe('request.too_deep')
  })

  test('an error never carries the body', () => {
    try {
      parse('{"secret": sk-live-1234}')
      expect.unreachable()
    } catch (error) {
      expect(error instanceof TurnwardError && error.cause).toBeUndefined()
      expect(String(error)).not.toContain('sk-live')
    }
  })
})

describe('properties', () => {
  const key = fc.oneof(fc.constantFrom('model', 'role', 'a"b', 'back\\slash', '\u00e9', 'k'), fc.string({ maxLength: 6 }))
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    ),
  }))

  test('what is accepted is what was written; what has no ambiguous key is accepted', () => {
    fc.assert(
      fc.property(fc.dictionary(key, value), fc.boolean(), (object, pretty) => {
        const text = JSON.stringify(object, null, pretty ? 1 : undefined)
        const code = codeOf(() => expect(parse(text)).toEqual(parseJson(text)))
        expect(code).toBe(isAmbiguous(object) ? 'request.ambiguous_key' : 'accepted')
      }),
    )
  })

  test('a key written twice anywhere is found, however it is spelled', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 40 }), fc.nat(), fc.boolean(), (members, pick, escaped) => {
        const [again] = members[pick % members.length] as [string, unknown]
        const spelled = escaped
          ? `"${[...Array(again.length).keys()].map((at) => `\\u${again.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
          : JSON.stringify(again)
        const text = `{"tools":[{"input":{${members.map(([name, item]) => `${JSON.stringify(name)}:${JSON.stringify(item)}`).join(',')},${spelled}:1}}]}`
        expect(codeOf(() => parse(text))).toBe('request.ambiguous_key')
      }),
    )
  })

  function isAmbiguous(value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false
    if (Array.isArray(value)) return value.some((item) => isAmbiguous(item))
    const names = Object.keys(value)
    const fold = (name: string) => name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')
    const folded = new Set(names.map(fold))
    const guarded = new Set([...allGuardedFields].map(fold))
    const isMisspelt = names.some((name) => !allGuardedFields.has(name) && guarded.has(fold(name)))
    return isMisspelt || folded.size < names.length || names.includes('__proto__') || Object.values(value).some((item) => isAmbiguous(item))
  }
})

describe('a field we read, in another spelling and alone', () => {
  test.each([...allGuardedFields])('is refused: %s', (name) => {
    expect(codeOf(() => parse(`{"${name.toUpperCase()}":1}`))).toBe('request.ambiguous_key')
    expect(codeOf(() => parse(`{"messages":[{"${name.charAt(0).toUpperCase()}${name.slice(1)}":1}]}`))).toBe('request.ambiguous_key')
    const small = name.toLowerCase()
    if (small !== name) expect(codeOf(() => parse(`{"messages":[{"${small}":1}]}`))).toBe('request.ambiguous_key')
    expect(codeOf(() => parse(`{"${name}":1}`))).toBe('accepted')
  })

  test.each(['\\u004dessages', 'me\\u017fsages', '\\uff4dessages', 'ＴＯＯＬＳ'])(
    'is refused behind an escape or a lookalike letter: %s',
    (key) => {
      expect(codeOf(() => parse(`{"${key}":[]}`))).toBe('request.ambiguous_key')
    },
  )

  test.each(['Tools', 'STREAM', 'ＴＯＯＬＳ'])('is the user’s own name within a schema: %s', (name) => {
    expect(codeOf(() => parse(`{"tools":[{"input_schema":{"${name}":[]}}]}`))).toBe('accepted')
  })
})

// Each text on the left teaches V8 a key; the one on the right is then misread by a plain JSON.parse.
test.each([
  ['{"q4":[],"\\\\":1}', '{"q4":1,"\\"":2}', '"'],
  ['{"q5":[],"\\\\u":1}', '{"q5":1,"\\u0074o":2}', 'to'],
  ['{"q6":[],"\\\\u006":1}', '{"q6":1,"\\u006dodel":2}', 'model'],
])('a key written with an escape: after %s, %s has the key %j, guarded and open', (before, text, key) => {
  for (const read of [parse, (json: string) => parseOpenJson(json, limits)]) {
    read(before)
    expect(Object.keys(read(text) as object)[1]).toBe(key)
  }
})

test('open JSON refuses exact duplicates only', () => {
  expect(parseOpenJson('{"a":1,"A":2}', limits)).toEqual({ a: 1, A: 2 })
  expect(codeOf(() => parseOpenJson('{"a":{"b":1,"\\u0062":2}}', limits))).toBe('request.ambiguous_key')
})
