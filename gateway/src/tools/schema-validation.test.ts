import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../core/json.ts'
import { parseExactJson } from '../core/exact-json.ts'
import { compileArgumentCheck } from './schema-validation.ts'
import { readTools } from './tool-definitions.ts'

function check(schema: JsonObject, args: JsonObject): string | undefined {
  const compiled = compileArgumentCheck(schema)
  if ('why' in compiled) throw new Error(compiled.why)
  return compiled.check(args)
}

describe('argument checks', () => {
  test.each<readonly [JsonObject, JsonObject, RegExp]>([
    [{ properties: { a: { type: 'number' } } }, { a: 'secret' }, /`a`.*type/i],
    [{ required: ['a'] }, { b: 'secret' }, /required property "a"/],
    [{ properties: { a: { enum: ['x'] } } }, { a: 'secret' }, /allowed values/],
    [{ properties: { a: { const: 'x' } } }, { a: 'secret' }, /allowed values/],
    [{ properties: { a: { maximum: 3 } } }, { a: 424_242 }, /maximum/],
    [{ additionalProperties: false }, { a: 'secret' }, /does not know/],
    [{ properties: { a: { $ref: '#/$defs/n' } }, $defs: { n: { type: 'integer' } } }, { a: 'secret' }, /type/i],
    [
      { $schema: 'http://json-schema.org/draft-07/schema#', properties: { a: { items: [{ type: 'number' }] } } },
      { a: ['secret'] },
      /type/i,
    ],
  ])('%j refuses %j and quotes no value', (schema, args, message) => {
    const why = check(schema, args)
    expect(why).toMatch(message)
    expect(why).not.toMatch(/secret|424242/)
  })

  test('null for an optional argument leaves it out; null for a required one does not fit', () => {
    const schema: JsonObject = {
      properties: { a: { type: 'string' }, b: { type: 'boolean' }, c: { type: 'number' } },
      required: ['a'],
      additionalProperties: false,
    }
    expect(check(schema, { a: 'x', b: null, c: null })).toBeUndefined()
    expect(check(schema, { a: null, b: true })).toMatch(/`a`.*type/i)
    expect(check(schema, { a: 'x', b: 'secret', c: null })).toMatch(/`b`.*type/i)
    expect(check({ properties: { a: { properties: { b: { type: 'string' } } } } }, { a: { b: null } })).toMatch(/type/i)
  })

  test('arguments that fit are accepted', () => {
    expect(check({ type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }, { a: 'x', b: 1 })).toBeUndefined()
  })

  test.each<readonly [JsonObject, JsonObject]>([
    [{ properties: { a: { pattern: '^(a+)+$' } } }, { a: `${'a'.repeat(50)}!` }],
    [{ properties: { a: { format: 'email' } } }, { a: 'no' }],
    [{ patternProperties: { '^x': true }, additionalProperties: false }, { xy: 1 }],
    [{ properties: { a: { not: { pattern: 'b' } } } }, { a: 'c' }],
    [
      {
        properties: {
          a: {
            oneOf: [
              { type: 'string', pattern: '^a' },
              { type: 'string', pattern: '^b' },
            ],
          },
        },
      },
      { a: 'abc' },
    ],
    [
      {
        properties: { a: { oneOf: [{ $ref: '#/$defs/p' }, { $ref: '#/$defs/q' }] } },
        $defs: { p: { pattern: '^a' }, q: { pattern: '^b' } },
      },
      { a: 'abc' },
    ],
    [JSON.parse('{"if":{"properties":{"a":{"pattern":"^x"}}},"then":{"required":["b"]}}') as JsonObject, { a: 'y' }],
    [{ allOf: [{ patternProperties: { '^x': true } }], unevaluatedProperties: false }, { xy: 1 }],
    [{ properties: { a: { contains: { pattern: 'x' }, maxContains: 1 } } }, { a: ['x', 'y'] }],
  ])('leaving out patterns never refuses what %j accepts', (schema, args) => {
    expect(check(schema, args)).toBeUndefined()
  })

  test('a property that is called pattern or format is still checked', () => {
    expect(check({ properties: { pattern: { type: 'string' }, format: { type: 'string' } } }, { pattern: 1 })).toMatch(/`pattern`/)
  })

  test.each<readonly [JsonObject, RegExp]>([
    [{ properties: { a: { $ref: 'https://example.com/schema.json' } } }, /outside/],
    [{ properties: { a: { $ref: '#/$defs/none' } } }, /outside/],
    [{ $schema: 'https://example.com/dialect' }, /dialect/],
    [JSON.parse(`${'{"properties":{"a":'.repeat(60)}{}${'}}'.repeat(60)}`) as JsonObject, /too deep/],
  ])('a schema that cannot be used is named as such: %j', (schema, why) => {
    expect(compileArgumentCheck(schema)).toEqual({ why: expect.stringMatching(why) })
  })

  test('recursive schemas that multiply are given up, not run to the end', () => {
    const schema: JsonObject = {
      $ref: '#/$defs/a',
      $defs: {
        a: {
          type: ['object', 'string'],
          properties: { n: { allOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }] } },
        },
      },
    }
    const args = JSON.parse(`${'{"n":'.repeat(40)}"x"${'}'.repeat(40)}`) as JsonObject
    expect(check(schema, args)).toBe('the arguments cannot be checked against the schema')
  })

  test('a large value against a large schema is refused instead of being worked on', () => {
    const schema: JsonObject = { properties: { a: { items: { allOf: Array.from({ length: 3000 }, () => ({ minimum: 0 })) } } } }
    expect(check(schema, { a: Array.from({ length: 20_000 }, () => 1) })).toMatch(/too large/)
  })
})

describe('numbers in a schema that no double holds', () => {
  const checkText = (schema: string, args: JsonObject): string | undefined => check(parseExactJson(schema) as JsonObject, args)

  test.each([
    ['{"properties":{"a":{"maximum":18446744073709551615,"minimum":-9223372036854775809}}}', 5],
    ['{"properties":{"a":{"exclusiveMaximum":9007199254740993}}}', 9_007_199_254_740_992],
    ['{"properties":{"a":{"not":{"minimum":9007199254740993}}}}', 9_007_199_254_740_992],
    ['{"properties":{"a":{"oneOf":[{"minimum":9007199254740993},{"type":"integer"}]}}}', 5],
    ['{"properties":{"a":{"maxLength":18446744073709551615}}}', 'x'],
    ['{"properties":{"a":{"default":9007199254740993,"examples":[[1e400]],"x-vendor":{"limit":1e400}}}}', 5],
  ])('%s never refuses %j, which its server takes', (schema, a) => {
    expect(checkText(schema, { a })).toBeUndefined()
  })

  test('the other keywords still hold', () => {
    expect(checkText('{"properties":{"a":{"type":"integer","minimum":0,"maximum":18446744073709551615}}}', { a: -1 })).toMatch(/minimum/)
  })

  test('a value that is listed is not the neighbour it would be rounded to', () => {
    expect(checkText('{"properties":{"a":{"enum":[1,9007199254740993]}}}', { a: 9_007_199_254_740_992 })).toMatch(/allowed values/)
    expect(checkText('{"properties":{"a":{"enum":[1,9007199254740993]}}}', { a: 1 })).toBeUndefined()
  })

  test('the digest of a definition sees every digit', () => {
    const digest = (limit: string): string | undefined =>
      readTools('s', [parseExactJson(`{"name":"a","inputSchema":{"type":"object"},"x-limit":${limit}}`) as JsonObject]).tools[0]?.digest
    expect(digest('9007199254740993')).not.toBe(digest('9007199254740992'))
  })
})

describe('definitions', () => {
  const good = { name: 'a', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true, 'x-new': 1 }, 'x-unknown': [1] }

  test('are kept as the server wrote them, under the exposed name', () => {
    const { tools } = readTools('s', [good])
    expect(tools[0]).toMatchObject({
      name: 's__a',
      originalName: 'a',
      definition: { ...good, name: 's__a' },
      hints: { readOnlyHint: true },
    })
  })

  test('that cannot be used are left out and named with why', () => {
    const { tools, leftOut } = readTools('s', [
      good,
      { name: 'b' },
      { ...good, name: 'c' },
      { ...good, name: 'c', title: 'again' },
      { ...good, name: 'd', execution: { taskSupport: 'required' } },
      { inputSchema: {} },
    ])
    expect(tools.map(({ name }) => name)).toEqual(['s__a'])
    expect([...leftOut.keys()]).toEqual(['s__b', 's__d', 's__#5', 's__c'])
  })

  test('a changed definition has another digest', () => {
    expect(readTools('s', [good]).tools[0]?.digest).not.toBe(readTools('s', [{ ...good, description: 'x' }]).tools[0]?.digest)
  })
})
