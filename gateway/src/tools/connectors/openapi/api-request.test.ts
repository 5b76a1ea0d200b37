import { describe, expect, test } from 'vitest'
import type { ApiBody, ApiOperation, ApiParameter } from '../../../config/openapi/api.ts'
import type { JsonObject } from '../../../core/json.ts'
import { apiRequest, type OwnParts } from './api-request.ts'
import { ArgumentProblem } from './argument-problem.ts'

const own: OwnParts = { basePath: '/v1', headers: { authorization: 'Bearer s3cret', 'x-tenant': 't' }, query: { api_key: 'k&y' } }

const parameter = (of: Partial<ApiParameter> & Pick<ApiParameter, 'name' | 'place'>): ApiParameter => ({
  argument: of.name,
  required: of.place === 'path',
  style: of.place === 'query' || of.place === 'cookie' ? 'form' : 'simple',
  explode: of.place === 'query',
  ...of,
})

const operation = (of: Partial<ApiOperation>): ApiOperation => ({
  name: 'test',
  method: 'GET',
  path: '/items',
  parameters: [],
  body: undefined,
  fixed: {},
  fixedBody: {},
  definition: {},
  wrapsObjects: false,
  pick: undefined,
  maxBytes: 1000,
  ...of,
})

const one = operation({ path: '/items/{id}/parts', parameters: [parameter({ name: 'id', place: 'path' })] })
const pathOf = (of: ApiOperation, args: JsonObject) => apiRequest(of, args, own).path

describe('a value in the path', () => {
  test.each([
    ['a b', '/v1/items/a%20b/parts'],
    ['ä', '/v1/items/%C3%A4/parts'],
    ['a?b=c', '/v1/items/a%3Fb%3Dc/parts'],
    ['a#b', '/v1/items/a%23b/parts'],
    ['a;b', '/v1/items/a%3Bb/parts'],
    ['100%', '/v1/items/100%25/parts'],
    ['...', '/v1/items/.../parts'],
    ['\ud800', '/v1/items/%EF%BF%BD/parts'],
  ])('%j stays one part of it', (id, expected) => {
    expect(pathOf(one, { id })).toBe(`${expected}?api_key=k%26y`)
  })

  test.each([
    ['..'],
    ['.'],
    ['../admin'],
    ['a/b'],
    ['a\\b'],
    ['%2e%2e'],
    ['%2E.'],
    ['%2f'],
    ['a%2Fb'],
    ['a%5cb'],
    ['%252e%252e%252fadmin'],
    ['%25252f'],
    ['..;x'],
    ['..%3b'],
    ['a\r\nHost: evil.example'],
    ['a%0d%0aHost: x'],
    ['a\0'],
    ['\u0085'],
    [''],
  ])('%j is refused, and not quoted', (id) => {
    const make = () => pathOf(one, { id })
    expect(make).toThrow(ArgumentProblem)
    if (id.length > 3) expect(make).not.toThrow(new RegExp(id.slice(-4).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
  })

  test('cannot become another path together with its neighbours', () => {
    const two = operation({ path: '/f/{a}{b}/x', parameters: ['a', 'b'].map((name) => parameter({ name, place: 'path' })) })
    expect(() => pathOf(two, { a: '.', b: '.' })).toThrow(ArgumentProblem)
  })

  test('is needed', () => {
    expect(() => pathOf(one, {})).toThrow('`id` is missing')
    expect(() => pathOf(one, { id: null })).toThrow('`id` is missing')
  })

  test.each([
    ['simple', false, [3, 4], '3,4'],
    ['simple', true, { role: 'admin', n: 1 }, 'role=admin,n=1'],
    ['simple', false, { role: 'admin', n: 1 }, 'role,admin,n,1'],
    ['label', false, [3, 4], '.3.4'],
    ['matrix', false, 5, ';id=5'],
    ['matrix', true, [3, 4], ';id=3;id=4'],
    ['matrix', true, { role: 'admin' }, ';role=admin'],
  ] as const)('is written in the style %s (explode %s)', (style, explode, id, expected) => {
    const styled = operation({ path: '/i/{id}', parameters: [parameter({ name: 'id', place: 'path', style, explode })] })
    expect(pathOf(styled, { id: id as never })).toBe(`/v1/i/${expected}?api_key=k%26y`)
  })
})

describe('the query', () => {
  const query = (args: JsonObject, ...parameters: ApiParameter[]) => pathOf(operation({ parameters }), args).split('?')[1]

  test.each([
    ['form', true, [1, 'a,b'], 'q=1&q=a%2Cb'],
    ['form', false, [1, 2], 'q=1%2C2'],
    ['form', true, { a: 1, b: 'x&y' }, 'a=1&b=x%26y'],
    ['form', false, { a: 1 }, 'q=a%2C1'],
    ['spaceDelimited', false, [1, 2], 'q=1%202'],
    ['pipeDelimited', false, [1, 2], 'q=1%7C2'],
    ['deepObject', true, { a: { b: 1 }, c: [2] }, 'q%5Ba%5D%5Bb%5D=1&q%5Bc%5D%5B%5D=2'],
    ['json', false, { a: [1] }, 'q=%7B%22a%22%3A%5B1%5D%7D'],
    ['form', true, 'a=b&c#d\r\n', 'q=a%3Db%26c%23d%0D%0A'],
    ['form', true, true, 'q=true'],
  ] as const)('is written in the style %s (explode %s)', (style, explode, q, expected) => {
    expect(query({ q: q as never }, parameter({ name: 'q', place: 'query', style, explode }))).toBe(`${expected}&api_key=k%26y`)
  })

  test('never has what a caller calls like a parameter of the configuration or another one', () => {
    const [q, other] = [parameter({ name: 'q', place: 'query' }), parameter({ name: 'limit', place: 'query' })]
    for (const name of ['api_key', 'API_KEY', 'limit']) expect(() => query({ q: { [name]: 'x' } }, q, other)).toThrow(ArgumentProblem)
    expect(query({ api_key: 'mine', undeclared: 1 }, q)).toBe('api_key=k%26y')
  })

  test('has what is fixed, whatever the caller says', () => {
    const fixed = operation({ parameters: [parameter({ name: 'limit', place: 'query' })], fixed: { limit: 10 } })
    expect(pathOf(fixed, { limit: 1_000_000 })).toBe('/v1/items?limit=10&api_key=k%26y')
  })
})

describe('headers', () => {
  const header = parameter({ name: 'X-Note', place: 'header' })
  const headers = (args: JsonObject, ...parameters: ApiParameter[]) => apiRequest(operation({ parameters }), args, own).headers

  test('are those of the configuration and the declared ones', () => {
    expect(headers({ 'X-Note': 'hello', evil: 'x' }, header)).toEqual({
      'user-agent': 'turnward',
      'x-note': 'hello',
      authorization: 'Bearer s3cret',
      'x-tenant': 't',
      accept: 'application/json, */*;q=0.5',
      'accept-encoding': 'identity',
    })
  })

  test('take nothing that could begin another one', () => {
    for (const value of ['a\r\nx: y', 'a\nb', 'a\0', 'ä']) expect(() => headers({ 'X-Note': value }, header)).toThrow(ArgumentProblem)
  })

  test('of the configuration win over declared ones of the same name', () => {
    for (const name of ['Authorization', 'X-TENANT'])
      expect(headers({ [name]: 'mine' }, parameter({ name, place: 'header' }))).toMatchObject({
        authorization: 'Bearer s3cret',
        'x-tenant': 't',
      })
  })

  test('have cookies that are declared, encoded', () => {
    expect(headers({ sid: 'a; admin=1' }, parameter({ name: 'sid', place: 'cookie' })).cookie).toBe('sid=a%3B%20admin%3D1')
  })
})

describe('the body', () => {
  const body = (of: Partial<ApiBody>, value: JsonObject[string] | undefined, fixedBody: JsonObject = {}) => {
    const written = { form: 'json', contentType: 'application/json', required: true, files: [], ...of } as ApiBody
    const request = apiRequest(operation({ method: 'POST', body: written, fixedBody }), value === undefined ? {} : { body: value }, own)
    return { type: request.headers['content-type'], text: request.body === null ? null : request.body.toString('utf8') }
  }

  test('is JSON, with numbers as they came', () => {
    expect(body({}, { a: [1, null] })).toEqual({ type: 'application/json', text: '{"a":[1,null]}' })
  })

  test('has what is fixed, whatever the caller says', () => {
    expect(body({}, { tenant: 'other', a: 1 }, { tenant: 't1' }).text).toBe('{"tenant":"t1","a":1}')
    expect(body({}, undefined, { tenant: 't1' }).text).toBe('{"tenant":"t1"}')
    expect(() => body({}, 'text', { tenant: 't1' })).toThrow(ArgumentProblem)
  })

  test('may be a form', () => {
    expect(
      body({ form: 'urlencoded', contentType: 'application/x-www-form-urlencoded' }, { a: 'x&y=z', b: [1, 2], c: { d: 1 }, e: null }).text,
    ).toBe('a=x%26y%3Dz&b=1&b=2&c=%7B%22d%22%3A1%7D')
  })

  test('may have files, whose names and contents cannot end their part', () => {
    const { type, text } = body(
      { form: 'multipart', contentType: 'multipart/form-data', files: ['file'] },
      { 'a"\r\nx: y': '1', file: Buffer.from('--x').toString('base64') },
    )
    const boundary = /boundary=(\S+)/.exec(type ?? '')?.[1] ?? ''
    expect(text?.split(`--${boundary}`)).toEqual([
      '',
      '\r\ncontent-disposition: form-data; name="a%22%0D%0Ax: y"\r\n\r\n1\r\n',
      '\r\ncontent-disposition: form-data; name="file"; filename="file"\r\ncontent-type: application/octet-stream\r\n\r\n--x\r\n',
      '--\r\n',
    ])
  })

  test('may be text or bytes', () => {
    expect(body({ form: 'text', contentType: 'text/plain' }, 'ä')).toEqual({ type: 'text/plain; charset=utf-8', text: 'ä' })
    expect(body({ form: 'base64', contentType: 'application/pdf' }, 'JVBERg==').text).toBe('%PDF')
    expect(() => body({ form: 'base64', contentType: 'application/pdf' }, 'no base64!')).toThrow(ArgumentProblem)
  })

  test('is missed where it is needed, and left out where it is not', () => {
    expect(() => body({}, undefined)).toThrow('`body` is missing')
    expect(body({ required: false }, undefined)).toEqual({ type: undefined, text: null })
  })
})
