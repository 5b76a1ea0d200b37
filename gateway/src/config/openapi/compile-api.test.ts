import { configSchema, type OpenapiServerConfig } from '@turnward/contract/config'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import type { JsonObject } from '../../core/json.ts'
import type { Api } from './api.ts'
import { compileApi, type ApiProblem } from './compile-api.ts'
import { readDocument, type ApiDocument } from './document.ts'

const server = (settings: object = {}): OpenapiServerConfig =>
  configSchema.parse({ servers: { api: { transport: 'openapi', document: 'x', base_url: 'https://api.example', ...settings } } }).servers
    .api as OpenapiServerConfig

function documentOf(rest: object, version = '3.1.0'): ApiDocument {
  const read = readDocument(JSON.stringify({ openapi: version, ...rest }))
  if (typeof read === 'string') throw new Error(read)
  return read
}

function compiled(paths: object, settings: object = {}, more: object = {}, version?: string): Api {
  const api = compileApi(server(settings), documentOf({ paths, ...more }, version))
  if (!('base' in api)) throw new Error(JSON.stringify(api))
  return api
}
const problems = (paths: object, settings: object = {}, more: object = {}): readonly ApiProblem[] => {
  const api = compileApi(server(settings), documentOf({ paths, ...more }))
  return 'base' in api ? [] : api
}
const everything = { operations: { include: [{ path: '*' }] } }
const only = (api: Api) => {
  const [operation] = api.operations
  if (operation === undefined) throw new Error(JSON.stringify([...api.leftOut]))
  return operation
}
const inputOf = (api: Api): JsonObject => only(api).definition.inputSchema as JsonObject
const names = (api: Api) => api.operations.map(({ name }) => name)

describe('a document', () => {
  test('is JSON or YAML of OpenAPI 3.0 or 3.1', () => {
    for (const openapi of ['3.0.0', '3.0.3', '3.1.0', '3.1.1'])
      for (const write of [JSON.stringify, stringify])
        expect(readDocument(write({ openapi, paths: {} }))).toMatchObject({ is30: openapi.startsWith('3.0') })
  })

  test.each([
    ['of Swagger 2.0 is refused by its name', '{"swagger":"2.0","paths":{}}', /Swagger 2\.0.*convert/],
    ['of a later version is refused', 'openapi: 3.2.0\npaths: {}', /3\.0\.x/],
    ['without paths is refused', 'openapi: 3.1.0', /no `paths`/],
    ['that is no object is refused', '- a', /must be an object/],
    ['that cannot be parsed is refused without quoting it', '{"token": s3cret', /^is not valid JSON$/],
    [
      'that grows by its aliases is refused',
      `a: &a [x]\n${Array.from({ length: 30 }, (_, at) => `b${at}: &b${at} [${at === 0 ? '*a,*a,*a,*a' : `*b${at - 1},*b${at - 1},*b${at - 1}`}]`).join('\n')}`,
      /not valid YAML/,
    ],
  ])('%s', (_name, text, why) => {
    expect(readDocument(text)).toMatch(why)
  })
})

describe('the selection', () => {
  const paths = {
    '/orders': { get: { operationId: 'listOrders', tags: ['orders'] }, post: { operationId: 'createOrder', tags: ['orders'] } },
    '/orders/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true }],
      get: { operationId: 'getOrder', tags: ['orders'] },
      delete: { operationId: 'deleteOrder', tags: ['orders', 'danger'] },
    },
    '/users': { get: { tags: ['users'] } },
  }

  test('is what reads, unless the configuration says more', () => {
    expect(names(compiled(paths))).toEqual(['listOrders', 'getOrder', 'get_users'])
  })

  test.each([
    ['by id', { include: [{ id: '*Order' }] }, ['createOrder', 'getOrder', 'deleteOrder']],
    ['by tag', { include: [{ tag: 'orders' }], exclude: [{ tag: 'dang*' }] }, ['listOrders', 'createOrder', 'getOrder']],
    [
      'by path and method together',
      { include: [{ path: '/orders*', method: 'get' }, { id: 'createOrder' }] },
      ['listOrders', 'createOrder', 'getOrder'],
    ],
    [
      'minus what is excluded',
      { include: [{ path: '*' }], exclude: [{ method: 'delete' }, { method: 'post' }] },
      ['listOrders', 'getOrder', 'get_users'],
    ],
  ])('%s', (_name, operations, expected) => {
    expect(names(compiled(paths, { operations }))).toEqual(expected)
  })

  test('that selects nothing is a mistake', () => {
    expect(problems(paths, { operations: { include: [{ id: 'lstOrders' }] } })).toMatchObject([{ path: ['operations'] }])
  })

  test('gives two operations of one id names that do not depend on their order', () => {
    const twice = {
      '/a': { get: { operationId: 'look up' } },
      '/b': { get: { operationId: 'look-up' } },
      '/c': { get: { operationId: 'look/up' } },
    }
    const reversed = Object.fromEntries(Object.entries(twice).reverse())
    expect(names(compiled(twice))[0]).toMatch(/^look_up_[0-9a-f]{8}$/)
    expect(names(compiled(twice)).toSorted()).toEqual(names(compiled(reversed)).toSorted())
  })
})

describe('the address', () => {
  test('is the configured one, else the first of the document when it is one', () => {
    const more = { servers: [{ url: 'https://{region}.doc.example/v1/', variables: { region: { default: 'eu' } } }] }
    expect(compiled({ '/a': { get: {} } }, {}, more).base).toBe('https://api.example')
    expect(compiled({ '/a': { get: {} } }, { base_url: undefined }, more).base).toBe('https://eu.doc.example/v1')
  })

  test.each([
    ['/v1'],
    ['ftp://doc.example'],
    ['http://doc.example'],
    ['https://169.254.169.254'],
    ['https://localhost'],
    ['https://[::1]/v1'],
    ['https://intranet/v1'],
    ['https://user:pw@doc.example'],
    ['https://{host}/v1'],
    ['//doc.example'],
  ])('is never guessed from %s', (url) => {
    expect(problems({ '/a': { get: {} } }, { base_url: undefined }, { servers: [{ url }] })).toMatchObject([{ path: ['document'] }])
  })

  test('of a document never gets a credential of the configuration', () => {
    const more = { servers: [{ url: 'https://doc.example' }] }
    for (const own of [{ headers: { authorization: 'x' } }, { query: { key: 'x' } }])
      expect(problems({ '/a': { get: {} } }, { base_url: undefined, ...own }, more)).toMatchObject([{ path: ['document'] }])
  })

  test('moves with a changed document only in a definition that has changed, so that the pin holds it', () => {
    const at = (url: string) => only(compiled({ '/a': { get: {} } }, { base_url: undefined }, { servers: [{ url }] })).definition
    expect(at('https://one.example')).not.toEqual(at('https://two.example'))
  })

  test('of an operation of its own is not followed', () => {
    const api = compiled({ '/a': { get: { servers: [{ url: 'https://other.example' }] } }, '/b': { get: {} } })
    expect([...api.leftOut]).toEqual([['get_a', 'it has servers of its own']])
  })
})

describe('arguments', () => {
  const get = (parameters: unknown[], more: object = {}, settings: object = {}) =>
    compiled(
      {
        '/a/{id}': {
          get: { parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }, ...parameters], ...more },
        },
      },
      settings,
    )

  test('are the parameters by name and the body, and nothing else is taken', () => {
    const api = compiled(
      {
        '/a/{id}': {
          parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
          post: {
            parameters: [{ $ref: '#/components/parameters/Page' }],
            requestBody: {
              required: true,
              content: { 'application/json': { schema: { type: 'object', properties: { name: { type: 'string' } } } } },
            },
          },
        },
      },
      everything,
      {
        components: {
          parameters: { Page: { name: 'page', in: 'query', description: 'Which one.', schema: { type: 'integer', minimum: 1 } } },
        },
      },
    )
    expect(inputOf(api)).toEqual({
      type: 'object',
      properties: {
        id: { type: 'string' },
        page: { type: 'integer', minimum: 1, description: 'Which one.' },
        body: { type: 'object', properties: { name: { type: 'string' } } },
      },
      required: ['id', 'body'],
      additionalProperties: false,
    })
  })

  test('that would have one name say where they go, and odd names become ones that models take', () => {
    const api = get([
      { name: 'id', in: 'query', schema: {} },
      { name: 'filter[status]', in: 'query', schema: {} },
      { name: 'é', in: 'query', schema: {} },
    ])
    expect(only(api).parameters.map(({ argument, name }) => [argument, name])).toEqual([
      ['id_path', 'id'],
      ['id_query', 'id'],
      ['filter_status', 'filter[status]'],
      ['argument', 'é'],
    ])
  })

  test('never choose a header of the connection, of the credential or of who asks', () => {
    const header = (name: string, required = false) => ({ name, in: 'header', required, schema: { type: 'string' } })
    const api = get([header('Authorization', true), header('Accept'), header('Cookie'), header('X-Forwarded-For'), header('X-Trace')])
    expect(Object.keys(inputOf(api).properties as object)).toEqual(['id', 'X-Trace'])
    for (const name of ['Host', 'Transfer-Encoding', 'X-Real-IP', 'X-HTTP-Method-Override'])
      expect([...get([header(name, true)]).leftOut.values()]).toEqual([`its header \`${name}\` is not a caller's to choose`])
  })

  test('that the configuration sends are not shown', () => {
    const api = get(
      [
        { name: 'X-Tenant', in: 'header', required: true, schema: {} },
        { name: 'key', in: 'query', required: true, schema: {} },
        { name: 'lang', in: 'query', required: true, schema: {} },
      ],
      {},
      { headers: { 'x-tenant': 't' }, query: { key: 'k' }, arguments: { lang: 'de' } },
    )
    expect(inputOf(api)).toMatchObject({ properties: { id: {} }, required: ['id'] })
    expect(Object.keys(inputOf(api).properties as object)).toEqual(['id'])
    expect(only(api).fixed).toEqual({ lang: 'de' })
  })

  test('that are fixed and that nothing has are a mistake', () => {
    const paths = { '/a': { get: { operationId: 'a', parameters: [{ name: 'lang', in: 'query' }] } } }
    expect(problems(paths, { arguments: { lnag: 'de' } })).toMatchObject([{ path: ['arguments', 'lnag'] }])
    expect(problems(paths, { tools: { b: {} } })).toMatchObject([{ path: ['tools', 'b'] }])
    expect(problems(paths, { tools: { a: { arguments: { x: 1 } } } })).toMatchObject([{ path: ['tools', 'a', 'arguments', 'x'] }])
  })

  test('of the body can be fixed one by one', () => {
    const schema = { type: 'object', required: ['name', 'tenant'], properties: { name: {}, tenant: {}, id: { readOnly: true } } }
    const api = compiled(
      { '/a': { post: { requestBody: { required: true, content: { 'application/json': { schema } } } } } },
      { ...everything, arguments: { 'body.tenant': 't1' } },
    )
    expect(inputOf(api)).toMatchObject({ properties: { body: { properties: { name: {} }, required: ['name'] } }, required: ['body'] })
    expect(only(api).fixedBody).toEqual({ tenant: 't1' })
  })
})

describe('schemas', () => {
  const schemaOf = (schema: object, components: object = {}, version = '3.1.0') => {
    const api = compiled(
      { '/a': { post: { requestBody: { content: { 'application/json': { schema } } } } } },
      everything,
      { components: { schemas: components } },
      version,
    )
    return ((inputOf(api).properties as JsonObject).body as JsonObject) ?? {}
  }

  test('stand without references', () => {
    expect(
      schemaOf(
        { $ref: '#/components/schemas/A' },
        { A: { type: 'object', properties: { b: { $ref: '#/components/schemas/B' } } }, B: { type: 'string' } },
      ),
    ).toEqual({
      type: 'object',
      properties: { b: { type: 'string' } },
    })
  })

  test('that contain themselves, or lead elsewhere, stand for anything there', () => {
    const tree = { type: 'object', properties: { children: { type: 'array', items: { $ref: '#/components/schemas/Tree' } } } }
    expect(schemaOf({ $ref: '#/components/schemas/Tree' }, { Tree: tree })).toEqual({
      type: 'object',
      properties: { children: { type: 'array', items: {} } },
    })
    for (const $ref of ['other.yaml#/A', 'http://169.254.169.254/x', '#/nowhere', 'file:///etc/passwd', '#/components/schemas/Loop'])
      expect(schemaOf({ $ref }, { Loop: { $ref: '#/components/schemas/Loop' } })).toEqual({})
  })

  test('of a document that means to be large are bounded', () => {
    const wide = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [
        `S${at}`,
        {
          type: 'object',
          properties: Object.fromEntries(Array.from({ length: 40 }, (_, to) => [`p${to}`, { $ref: `#/components/schemas/S${to}` }])),
        },
      ]),
    )
    expect(JSON.stringify(schemaOf({ $ref: '#/components/schemas/S0' }, wide)).length).toBeLessThan(100_000)
  })

  test('accept what those of 3.0 accept', () => {
    expect(schemaOf({ type: 'integer', nullable: true, minimum: 1, exclusiveMinimum: true, enum: [2, 3] }, {}, '3.0.3')).toEqual({
      type: ['integer', 'null'],
      exclusiveMinimum: 1,
      enum: [2, 3, null],
    })
    expect(schemaOf({ nullable: true, allOf: [{ type: 'string' }] }, {}, '3.0.3')).toEqual({
      anyOf: [{ allOf: [{ type: 'string' }] }, { type: 'null' }],
    })
  })

  test('never exclude what an alternative that is cut off would accept', () => {
    expect(schemaOf({ oneOf: [{ $ref: 'elsewhere.json' }, { type: 'string' }], not: { $ref: 'elsewhere.json' } })).toEqual({
      anyOf: [{}, { type: 'string' }],
    })
  })
})

describe('a definition', () => {
  test('says what the method says, and which request it makes', () => {
    const api = compiled({ '/a': { get: {}, post: {}, put: {}, patch: {}, delete: {} } }, everything)
    expect(api.operations.map(({ method, definition }) => [method, definition.annotations])).toEqual([
      ['GET', { readOnlyHint: true }],
      ['POST', { readOnlyHint: false }],
      ['PUT', { readOnlyHint: false, idempotentHint: true }],
      ['PATCH', { readOnlyHint: false }],
      ['DELETE', { readOnlyHint: false, destructiveHint: true, idempotentHint: true }],
    ])
    expect(only(api).definition).toMatchObject({
      description: '(GET /a)',
      _meta: { 'dev.turnward/operation': { method: 'GET', path: '/a' } },
    })
  })

  test('changes when an argument goes somewhere else, though it looks the same', () => {
    const at = (place: string) => only(compiled({ '/a': { get: { parameters: [{ name: 'x', in: place, schema: {} }] } } })).definition
    expect(at('query').inputSchema).toEqual(at('header').inputSchema)
    expect(at('query')).not.toEqual(at('header'))
  })

  test('says what answers look like only where that is wanted and the document says one thing', () => {
    const json = (schema: object) => ({ description: '', content: { 'application/json': { schema } } })
    const output = (responses: object, response: object = { schema: true }) =>
      only(compiled({ '/a': { get: { responses } } }, { response })).definition.outputSchema
    expect(output({ 200: json({ type: 'object', properties: { n: { type: 'integer', format: 'int64' } } }) })).toEqual({
      type: 'object',
      properties: { n: { type: ['integer', 'null'] } },
    })
    expect(output({ 200: json({ type: 'array', items: {} }) })).toMatchObject({ required: ['result'] })
    expect(output({ 200: json({}), 202: json({}) })).toBeUndefined()
    expect(output({ 204: { description: '' } })).toBeUndefined()
    expect(output({ 200: json({ type: 'object' }) }, {})).toBeUndefined()
    expect(output({ 200: json({ type: 'object' }) }, { schema: true, pick: ['a'] })).toBeUndefined()
  })
})

test.each([['/a/../b'], ['/a?x=1'], ['/a#b'], ['/a b'], ['a'], ['/a/{id}'], ['/a\\b'], ['/%2e%2e/b'], ['//evil.example/x{id}']])(
  'an operation at %s is left out, with a reason',
  (path) => {
    const api = compiled({ [path]: { get: { operationId: 'odd' } }, '/fine': { get: {} } })
    expect([...api.leftOut.keys()]).toEqual(['odd'])
  },
)
