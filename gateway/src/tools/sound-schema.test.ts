import { addFormats, Ajv, AjvJsonSchemaValidator } from '@modelcontextprotocol/client/validators/ajv'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../core/json.ts'
import { isSoundSchema } from './sound-schema.ts'

const odd = fc.constantFrom<JsonValue>(
  null,
  true,
  false,
  0,
  1.5,
  -1,
  '',
  'string',
  'strin',
  '(',
  '^a+$',
  [],
  ['string', 'string'],
  ['a'],
  {},
)
const keyword = fc.constantFrom(
  '$schema',
  '$id',
  '$ref',
  '$defs',
  '$dynamicRef',
  '$anchor',
  'id',
  'type',
  'nullable',
  'enum',
  'const',
  'properties',
  'patternProperties',
  'additionalProperties',
  'required',
  'items',
  'prefixItems',
  'additionalItems',
  'contains',
  'minContains',
  'uniqueItems',
  'minLength',
  'pattern',
  'multipleOf',
  'exclusiveMinimum',
  'maximum',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'if',
  'then',
  'dependencies',
  'dependentRequired',
  'dependentSchemas',
  'unevaluatedProperties',
  'discriminator',
  'x-novel',
  'constructor',
)
const { schema: schemas } = fc.letrec<{ schema: JsonValue }>((again) => ({
  schema: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    odd,
    fc.dictionary(
      keyword,
      fc.oneof(
        odd,
        again('schema'),
        fc.array(again('schema'), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom('a', '(', '__proto__'), again('schema'), { maxKeys: 2 }),
      ),
      { maxKeys: 3, noNullPrototype: true },
    ) as fc.Arbitrary<JsonValue>,
    fc.constantFrom<JsonValue>(
      { $ref: '#/$defs/a', $defs: { a: { type: 'string' } } },
      { $ref: '#/$defs/b', $defs: { a: {} } },
      { $ref: '#' },
      { $ref: 'https://example.com/other' },
      { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' },
      { $schema: 'http://json-schema.org/draft-04/schema#', type: 'object' },
    ),
  ),
}))

/** What clients of the current and of the first generation compile with. */
function compilers(): readonly AjvJsonSchemaValidator[] {
  const first = new Ajv({ strict: false, validateSchema: false, allErrors: true, logger: false })
  addFormats(first)
  return [new AjvJsonSchemaValidator(), new AjvJsonSchemaValidator(first)]
}

describe('an output schema that is shown', () => {
  test('is one that official clients compile', () => {
    let sound = 0
    fc.assert(
      fc.property(schemas, (schema) => {
        const copy = JSON.parse(JSON.stringify(schema)) as JsonValue
        if (typeof copy !== 'object' || copy === null || Array.isArray(copy) || !isSoundSchema(copy)) return
        sound += 1
        for (const compiler of compilers()) compiler.getValidator(copy as Parameters<AjvJsonSchemaValidator['getValidator']>[0])
      }),
      { numRuns: 3000 },
    )
    expect(sound).toBeGreaterThan(100)
  })

  test.each<JsonObject>([
    { type: 'object', properties: { a: { type: ['string', 'null'], description: 'x' } }, required: ['a'], additionalProperties: false },
    { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object', properties: { at: { type: 'string', format: 'date-time' } } },
    {
      type: 'object',
      properties: { next: { $ref: '#/$defs/node' } },
      $defs: { node: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
    },
    { type: 'array', items: { oneOf: [{ const: 1 }, { enum: ['a'] }] }, 'x-novel': { $anything: 1 } },
  ])('may be any ordinary one: %j', (schema) => {
    expect(isSoundSchema(schema)).toBe(true)
  })

  test('has no name that another server could give to its own, nor anything that compilers would take for one', () => {
    expect(isSoundSchema({ $id: 'https://example.com/report', type: 'object' })).toBe(false)
    for (const name of ['$id', '$anchor', '$dynamicAnchor'])
      expect(isSoundSchema({ if: { 'x-novel': { deeper: { [name]: '(' } } } })).toBe(false)
  })

  test('is not so deep or large that compiling it costs much', () => {
    let deep: JsonObject = {}
    for (let depth = 0; depth < 100; depth += 1) deep = { not: deep }
    const large = { properties: Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`p${at}`, {}])) }
    expect([isSoundSchema(deep), isSoundSchema(large)]).toEqual([false, false])
  })
})
