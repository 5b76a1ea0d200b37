/** One server's definitions beside an ordinary tool of another, as official clients of both eras read the list. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../core/json.ts'
import { openOperations, serveEndpoint, snapshotOf, type TestEndpoint } from './running-parts.fixture.ts'
import { readTools } from './tool-definitions.ts'

const ordinary: JsonObject = {
  name: 'ordinary',
  description: 'Reads',
  inputSchema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
}

const any = fc.oneof(
  fc.constantFrom<JsonValue>(null, true, false, 0, '', 'true', 'object', [], {}, [null], ['a', 1], { type: 'strin' }, { title: null }),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>,
)
const object = (fields: Record<string, fc.Arbitrary<JsonValue>>, requiredKeys: string[] = []): fc.Arbitrary<JsonValue> =>
  fc.record(fields, { requiredKeys, noNullPrototype: true }) as fc.Arbitrary<JsonValue>
const mostly = (usual: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonValue> => fc.oneof({ arbitrary: usual, weight: 4 }, any)

const inputSchemas = object({
  type: mostly(fc.constantFrom<JsonValue>('object', ['object', 'null'])),
  properties: mostly(object({ a: any, b: fc.constant({ type: 'string' }) })),
  required: any,
  $schema: mostly(
    fc.constantFrom<JsonValue>(null, 'https://json-schema.org/draft/2020-12/schema', 'http://json-schema.org/draft-07/schema#'),
  ),
  additionalProperties: any,
})
const definition = {
  name: mostly(fc.constantFrom<JsonValue>('odd', 'o.d/d', 'ordinary')),
  title: any,
  description: any,
  icons: fc.oneof(fc.array(object({ src: any, sizes: any, theme: any, mimeType: any }), { maxLength: 2 }), any) as fc.Arbitrary<JsonValue>,
  annotations: fc.oneof(object({ title: any, readOnlyHint: any, idempotentHint: any, novel: any }), any),
  execution: fc.oneof(object({ taskSupport: any }), any),
  inputSchema: mostly(inputSchemas),
  outputSchema: fc.oneof(inputSchemas, any),
  _meta: any,
  novel: any,
}
const definitions = object(definition, ['name', 'inputSchema'])

let listed: readonly JsonObject[] = []
let endpoint: TestEndpoint
beforeAll(async () => {
  const snapshot = snapshotOf({ servers: { s: { transport: 'http', url: 'http://127.0.0.1:1/' } }, gateways: { g: { servers: ['s'] } } })
  const operations = openOperations({} as Parameters<typeof openOperations>[0])
  endpoint = await serveEndpoint({ ...operations, listTools: async () => ({ tools: listed, complete: false }) }, () => snapshot)
})
afterAll(() => endpoint.close())

describe.each(['legacy', 'auto'] as const)('a list as a client reads it (%s)', (mode) => {
  test('has the ordinary tool, whatever another server says of its own', async () => {
    const client = new Client({ name: 'c', version: '1' }, { versionNegotiation: { mode } })
    const requestInit = { headers: { authorization: 'Bearer alice' } }
    await client.connect(new StreamableHTTPClientTransport(new URL(`${endpoint.url}g`), { requestInit }))
    let shown = 0
    await fc.assert(
      fc.asyncProperty(fc.array(mostly(definitions), { maxLength: 3 }), async (odd) => {
        const theirs = readTools('odd', JSON.parse(JSON.stringify(odd)) as JsonValue[])
        expect(theirs.tools.length + theirs.leftOut.size).toBeGreaterThanOrEqual(odd.length === 0 ? 0 : 1)
        shown += theirs.tools.length
        listed = [...theirs.tools, ...readTools('other', [ordinary]).tools].map(({ definition }) => definition)
        const names = (await client.listTools()).tools.map(({ name }) => name)
        expect(names).toEqual([...theirs.tools.map(({ name }) => name), 'other__ordinary'])
      }),
      { numRuns: 300 },
    )
    expect(shown).toBeGreaterThan(100)
    await client.close()
  })
})

describe('a definition', () => {
  const only = (definition: JsonObject): ReturnType<typeof readTools>['tools'][number] | undefined => readTools('s', [definition]).tools[0]

  test('that is as it should be is shown as it is, with its unknown fields', () => {
    const full = { ...ordinary, title: 'T', annotations: { readOnlyHint: true, novel: 1 }, _meta: { k: [1] }, novel: { kept: null } }
    expect(only(full)).toMatchObject({ definition: { ...full, name: 's__ordinary' }, without: [], listed: full })
  })

  test('is shown without optional fields of a wrong type, which are named', () => {
    const tool = only({
      ...ordinary,
      title: null,
      annotations: { readOnlyHint: 'true', openWorldHint: false },
      icons: [{ src: 'a:b', sizes: null }, { sizes: ['1x1'] }],
      execution: { taskSupport: 'maybe' },
      outputSchema: { type: 'objekt' },
    })
    expect(tool?.definition).toEqual({
      ...ordinary,
      name: 's__ordinary',
      annotations: { openWorldHint: false },
      icons: [{ src: 'a:b' }],
      execution: {},
    })
    expect(tool?.without).toEqual([
      'title',
      'annotations.readOnlyHint',
      'icons.0.sizes',
      'icons.1',
      'execution.taskSupport',
      'outputSchema',
    ])
    expect(tool?.hints.readOnlyHint).toBeUndefined()
  })

  test.each<readonly [JsonValue, JsonObject]>([
    [{ type: 'object' }, { type: 'object', properties: {} }],
    [{}, { type: 'object', properties: {} }],
    [
      { $schema: null, type: ['object', 'null'], properties: null, required: null },
      { type: 'object', properties: {} },
    ],
    [
      { type: 'object', properties: [], required: [] },
      { type: 'object', properties: {}, required: [] },
    ],
    [
      { type: 'object', properties: { a: true, b: false, c: null }, required: ['a', 1] },
      { type: 'object', properties: { a: {}, b: { not: {} }, c: {} }, required: ['a'] },
    ],
  ])('with the input schema %j is shown with %j', (inputSchema, shown) => {
    expect(only({ name: 't', inputSchema })?.definition.inputSchema).toEqual(shown)
  })

  test.each<readonly [JsonValue, RegExp]>([
    ['text', /not an object/],
    [null, /not an object/],
    [{ name: 't', inputSchema: null }, /no input schema/],
    [{ name: 't', inputSchema: { type: 'string' } }, /not one of an object/],
    [{ name: 't', inputSchema: { type: 'object', properties: ['a'] } }, /`properties`/],
    [{ name: 1, inputSchema: {} }, /usable name/],
  ])('like %j is left out with the reason, alone', (entry, why) => {
    const { tools, leftOut } = readTools('s', [entry, ordinary])
    expect(tools.map(({ name }) => name)).toEqual(['s__ordinary'])
    expect([...leftOut.values()]).toEqual([expect.stringMatching(why)])
  })

  test('that is nested without end is left out before anything walks it', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`) as JsonObject
    const { tools, leftOut } = readTools('s', [{ ...ordinary, name: 'deep', novel: deep }, ordinary])
    expect(tools.map(({ name }) => name)).toEqual(['s__ordinary'])
    expect(leftOut.get('s__deep')).toContain('too deep')
  })

  test('that is listed twice, word for word, is one tool; two that share a name are none', () => {
    const { tools, leftOut } = readTools('s', [ordinary, ordinary, { ...ordinary, name: 'two' }, { ...ordinary, name: 'two', title: 'x' }])
    expect(tools.map(({ name }) => name)).toEqual(['s__ordinary'])
    expect([...leftOut.keys()]).toEqual(['s__two'])
  })
})
