import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseExactJson } from '../core/exact-json.ts'
import { canonicalJson, isObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { settleArguments } from './settled-arguments.ts'

const object = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({ type: 'object', properties, ...more })

describe('a default', () => {
  test.each<readonly [string, JsonObject, JsonObject, JsonObject]>([
    ['is filled in where the property is absent', object({ a: { default: 3 }, b: {} }), {}, { a: 3 }],
    ['does not replace what is there', object({ a: { default: 3 } }), { a: null }, { a: null }],
    ['is filled in within an object that is present', object({ a: object({ b: { default: 'x' } }) }), { a: {} }, { a: { b: 'x' } }],
    ['makes no object that is absent', object({ a: object({ b: { default: 'x' } }) }), {}, {}],
    ['is itself completed', object({ a: object({ b: { type: 'integer', default: '2' } }, { default: {} }) }), {}, { a: { b: 2 } }],
    [
      'is filled in within the items of a list',
      object({ a: { type: 'array', items: object({ b: { default: true } }) } }),
      { a: [{}, { b: false }] },
      { a: [{ b: true }, { b: false }] },
    ],
    [
      'is found behind a reference',
      object({ a: { $ref: '#/$defs/n~1m' } }, { $defs: { 'n/m': object({ b: { default: 1 } }) } }),
      { a: {} },
      { a: { b: 1 } },
    ],
    [
      'is found beside a reference',
      object({ a: { allOf: [{ $ref: '#/$defs/n' }], default: {} } }, { $defs: { n: object({ b: { default: 1 } }) } }),
      {},
      { a: { b: 1 } },
    ],
    [
      'is found in the only branch that is not null',
      object({ a: { anyOf: [object({ b: { default: 1 } }), { type: 'null' }], default: null } }),
      { a: {} },
      { a: { b: 1 } },
    ],
    [
      'of one of several branches is not taken',
      object({ a: { anyOf: [object({ b: { default: 1 } }), object({ c: {} })] } }),
      { a: {} },
      { a: {} },
    ],
  ])('%s', (_what, schema, args, settled) => {
    expect(settleArguments(schema, args)).toEqual(settled)
  })
})

describe('text in quotes', () => {
  const types = (type: JsonValue): JsonObject => object({ a: { type } })
  test.each<readonly [JsonObject, string, JsonValue]>([
    [types('integer'), '1', 1],
    [types('integer'), '1.0', 1],
    [types('integer'), '1.5', '1.5'],
    [types('number'), '1.5e2', 150],
    [types('boolean'), 'true', true],
    [types('boolean'), '1', '1'],
    [types('number'), 'true', 'true'],
    [types(['number', 'null']), '-3', -3],
    [types(['integer', 'boolean']), 'false', false],
    [types(['string', 'number']), '1', '1'],
    [types('string'), '1', '1'],
    [types('number'), ' 1', ' 1'],
    [types('number'), '01', '01'],
    [types('number'), '0x10', '0x10'],
    [types('number'), '1e400', '1e400'],
    [types('number'), '9007199254740993', '9007199254740993'],
    [object({ a: {} }), '1', '1'],
    [object({ a: { anyOf: [{ type: 'integer' }, { type: 'null' }] } }), '1', 1],
    [object({ a: { anyOf: [{ type: 'integer' }, { type: 'string' }] } }), '1', '1'],
    [object({ a: { anyOf: [{ type: 'integer' }, {}] } }), '1', '1'],
    [object({ a: { $ref: '#/$defs/n' } }, { $defs: { n: { type: 'integer' } } }), '1', 1],
    [object({ a: { allOf: [{ type: ['integer', 'string'] }, { type: 'number' }] } }), '1', 1],
    [object({}, { additionalProperties: { type: 'integer' } }), '1', 1],
    [object({}, { additionalProperties: { type: 'integer' }, patternProperties: { a: { type: 'string' } } }), '1', '1'],
  ])('under %j, %j means %j', (schema, text, meant) => {
    expect(settleArguments(schema, { a: text })).toEqual({ a: meant })
  })

  test('is taken out of them in lists of one type and in lists with places', () => {
    expect(settleArguments(object({ a: { items: { type: 'number' } } }), { a: ['1', 2] })).toEqual({ a: [1, 2] })
    expect(settleArguments(object({ a: { prefixItems: [{ type: 'string' }], items: { type: 'number' } } }), { a: ['1', '2'] })).toEqual({
      a: ['1', 2],
    })
    expect(settleArguments(object({ a: { items: [{ type: 'string' }], additionalItems: { type: 'number' } } }), { a: ['1', '2'] })).toEqual(
      { a: ['1', 2] },
    )
  })
})

describe('arguments that need nothing', () => {
  test('are returned as the same object, however large their numbers', () => {
    const args = parseExactJson('{"a":{"b":[1,9007199254740993]},"c":"x"}') as JsonObject
    expect(settleArguments(object({ a: object({ b: { items: { type: 'number' } } }), d: { type: 'integer' } }), args)).toBe(args)
  })

  test('are not changed themselves when a settled copy is made', () => {
    const args = { a: { b: '1' } }
    settleArguments(object({ a: object({ b: { type: 'integer' }, c: { default: 1 } }) }), args)
    expect(args).toEqual({ a: { b: '1' } })
  })
})

describe('a hostile schema', () => {
  const recursive: JsonObject = { properties: { l: { $ref: '#', default: {} }, r: { $ref: '#', default: {} } } }
  const loop: JsonObject = { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { allOf: [{ $ref: '#/$defs/a' }] } } }
  test.each<readonly [string, JsonObject]>([
    ['references in a circle', loop],
    ['keywords of other types', { properties: [1], allOf: {}, anyOf: 'x', $ref: 7, type: { a: 1 }, items: 3, additionalProperties: [] }],
    ['references to nowhere', { $ref: 'https://example.com/#/x', allOf: [{ $ref: '#/%zz' }, { $ref: '#/__proto__' }] }],
    [
      'more properties than anybody needs',
      { properties: Object.fromEntries(Array.from({ length: 30_000 }, (_, index) => [`p${index}`, { default: 1 }])) },
    ],
  ])('with %s leaves the arguments as they are', (_what, schema) => {
    const args = { a: '1', b: { c: ['x'] } }
    expect(settleArguments(schema, args)).toBe(args)
  })

  test('whose defaults never end is settled no deeper than the arguments themselves', () => {
    expect(settleArguments(recursive, { l: { x: 1 } })).toEqual({ l: { x: 1 }, r: {} })
  })

  test('sets no prototype', () => {
    const schema = JSON.parse('{"properties":{"__proto__":{"default":{"polluted":true}}}}') as JsonObject
    expect((settleArguments(schema, {}) as { polluted?: boolean }).polluted).toBeUndefined()
  })

  test('with a default at every depth fills in to a bound, the same every time', () => {
    const chain: JsonObject = { properties: { n: { $ref: '#', default: {} } } }
    const once = settleArguments(chain, {})
    expect(canonicalJson(once).length).toBeGreaterThan(100)
    expect(settleArguments(chain, once)).toBe(once)
  })
})

const names = fc.constantFrom('a', 'b', 'c')
const scalar = fc.constantFrom<JsonValue>('1', '1.5', 'true', 'x', 1, 2.5, true, null)
const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(names, tie('value'), { maxKeys: 3 }),
  ),
}))
const type = fc.constantFrom<JsonValue>('integer', 'number', 'boolean', 'string', 'object', ['integer', 'null'], ['string', 'integer'])
const leaf = fc.record({ type, default: value }, { requiredKeys: [] }) as fc.Arbitrary<JsonObject>
const { schema: anySchema } = fc.letrec<{ schema: JsonObject }>((tie) => ({
  schema: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.record(
      {
        type,
        default: value,
        properties: fc.dictionary(names, tie('schema'), { maxKeys: 3 }),
        additionalProperties: tie('schema'),
        items: tie('schema'),
        allOf: fc.array(tie('schema'), { maxLength: 2 }),
        anyOf: fc.array(tie('schema'), { maxLength: 2 }),
        $ref: fc.constantFrom('#', '#/properties/a', '#/allOf/0'),
      },
      { requiredKeys: [] },
    ) as fc.Arbitrary<JsonObject>,
  ),
}))
const anyArguments = fc.dictionary(names, value, { maxKeys: 3 })

describe('for every schema and all arguments', () => {
  test('settling settled arguments changes nothing', () => {
    fc.assert(
      fc.property(anySchema, anyArguments, (schema, args) => {
        const once = settleArguments(schema, args)
        expect(settleArguments(schema, once)).toBe(once)
      }),
      { numRuns: 300 },
    )
  })

  test('settling arguments whose defaults a client filled in is settling them without', () => {
    fc.assert(
      fc.property(anySchema, anyArguments, (schema, args) => {
        expect(canonicalJson(settleArguments(schema, withDefaults(schema, args)))).toBe(canonicalJson(settleArguments(schema, args)))
      }),
      { numRuns: 300 },
    )
  })

  test('what was there stays there, text apart that became the number or truth value it spells', () => {
    fc.assert(
      fc.property(anySchema, anyArguments, (schema, args) => {
        const settled = settleArguments(schema, args)
        for (const [name, before] of Object.entries(args)) {
          const after = settled[name] as JsonValue
          if (typeof before === 'string') expect(String(after)).toBe(before)
          else if (typeof before !== 'object') expect(after).toBe(before)
          else expect([Array.isArray(after), isObject(after)]).toEqual([Array.isArray(before), isObject(before)])
        }
      }),
      { numRuns: 300 },
    )
  })
})

/** As a client does that knows nothing but `properties`. */
function withDefaults(schema: JsonObject, args: JsonObject): JsonObject {
  const filled = { ...args }
  for (const [name, child] of Object.entries(isObject(schema.properties) ? schema.properties : {})) {
    const own = isObject(child) ? child.default : undefined
    if (!Object.hasOwn(filled, name) && own !== undefined) filled[name] = own
  }
  return filled
}
