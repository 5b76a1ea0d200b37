import { validate, type Schema } from '@cfworker/json-schema'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../core/json.ts'
import { compileAcceptance } from './schema-acceptance.ts'

const names = fc.constantFrom('a', 'b', 'toString', '__proto__', 'length')
const scalars = fc.constantFrom<JsonValue>(0, 1, -1, 2.5, 1e300, true, false, null, '', 'a', 'bb', '😀', '😀😀', 'toString')
const limit = fc.constantFrom(0, 1, 2, 2.5, 3)

/** Plain schemas, and now and then something that is not. */
const { schema: schemas } = fc.letrec<{ schema: JsonValue }>((again) => ({
  schema: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<JsonValue>(true, false, {}),
    fc.record(
      {
        type: fc.constantFrom('string', 'number', 'integer', 'boolean', 'null', 'array', 'object', 'toString'),
        enum: fc.array(scalars, { maxLength: 3 }),
        minimum: limit,
        maximum: limit,
        minLength: limit,
        maxLength: limit,
        minItems: limit,
        maxItems: limit,
        required: fc.array(names, { maxLength: 2 }),
        items: again('schema'),
        properties: fc.dictionary(names, again('schema'), { maxKeys: 3, noNullPrototype: false }),
        additionalProperties: fc.oneof(fc.boolean(), again('schema')),
        not: again('schema'),
        description: fc.constant('text'),
      },
      { requiredKeys: [] },
    ) as fc.Arbitrary<JsonValue>,
  ),
}))

const { value: values } = fc.letrec<{ value: JsonValue }>((again) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalars,
    fc.array(again('value'), { maxLength: 3 }),
    fc.dictionary(names, again('value'), { maxKeys: 3 }) as fc.Arbitrary<JsonValue>,
  ),
}))

describe('the quick check', () => {
  test('accepts nothing that the full one refuses', () => {
    let accepted = 0
    fc.assert(
      fc.property(schemas, values, (schema, value) => {
        if (compileAcceptance(schema)?.(value) !== true) return
        accepted += 1
        expect(validate(value, structuredClone(schema) as unknown as Schema, '2020-12').valid).toBe(true)
      }),
      { numRuns: 3000 },
    )
    expect(accepted).toBeGreaterThan(100)
  })

  const usual: JsonObject = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      path: { type: 'string', minLength: 1, description: 'Where' },
      depth: { type: 'integer', minimum: 0, default: 1 },
      kinds: { type: 'array', items: { type: 'string', enum: ['file', 'folder'] } },
    },
    required: ['path'],
    additionalProperties: false,
  }

  test('accepts the usual arguments of a usual tool', () => {
    expect(compileAcceptance(usual)?.({ path: '/', depth: 2, kinds: ['file'] })).toBe(true)
  })

  test.each<JsonObject>([
    {},
    { path: '' },
    { path: 1 },
    { path: '/', depth: 1.5 },
    { path: '/', depth: -1 },
    { path: '/', kinds: ['other'] },
    { path: '/', more: 1 },
  ])('leaves %j to the full one', (args) => {
    expect(compileAcceptance(usual)?.(args)).toBe(false)
  })

  test.each<JsonValue>([
    { $ref: '#' },
    { properties: { a: { anyOf: [] } } },
    { items: [{}] },
    { type: ['string', 'null'] },
    { required: [1] },
    { novel: 1 },
    false,
  ])('does not exist for %j', (schema) => {
    expect(compileAcceptance(schema)).toBeUndefined()
  })
})
