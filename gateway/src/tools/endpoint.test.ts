/** Wire rules of the endpoint, on raw requests: what an unmodified or a hostile client may send. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect as connectSocket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TurnwardError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import { buildCatalogue } from './fleet/gateway-catalogue.ts'
import { readTools } from './tool-definitions.ts'
import { snapshotOf, callerNamed, serveEndpoint, type TestEndpoint } from './testing.ts'
import type { McpOperations, ToolCallRequest } from './operations.ts'

const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' }, 'io.modelcontextprotocol/clientCapabilities': {} }
const limits = { max_body_bytes: 4096, max_depth: 16, max_keys: 200 }

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  readonly json: JsonObject
}

let endpoint: TestEndpoint
let calls: ToolCallRequest[]
let changed: (() => void) | undefined
let operations: McpOperations
let answer: (call: ToolCallRequest) => Promise<JsonObject>
const tools = Array.from({ length: 250 }, (_, index) => ({ name: `s__t${String(index).padStart(3, '0')}`, inputSchema: { type: 'object' }, 'x-unknown': { kept: [index] } }))

beforeEach(async () => {
  calls = []
  changed = undefined
  answer = async (call) => ({ content: [{ type: 'text', text: call.name }], novel: { field: 1 } })
  operations = {
    async authenticate(headers) {
      const token = /^Bearer (\w+)$/.exec(headers.authorization ?? '')?.[1]
      if (token === undefined) throw new TurnwardError('auth.missing_key')
      return callerNamed(token)
    },
    openGateway({ gateway }) {
      if (gateway !== 'g') throw new TurnwardError('grant.gateway')
      return { instructions: undefined }
    },
    listTools: async () => tools,
    async callTool(_context, call) {
      calls.push(call)
      if (call.name === 'unknown') throw new TurnwardError('grant.tool')
      return answer(call)
    },
    watchTools(_context, listener) {
      changed = listener
      return () => (changed = undefined)
    },
  }
  const snapshot = snapshotOf({ limits, listen: { hosts: ['tools.example.com'] } })
  endpoint = await serveEndpoint(operations, () => snapshot)
})

afterEach(() => endpoint.close())

interface Sent {
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string | undefined>
  readonly body?: unknown
  readonly token?: string
}

function open(sent: Sent): Promise<IncomingMessage> {
  const headers = Object.fromEntries(Object.entries({ authorization: `Bearer ${sent.token ?? 'alice'}`, accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...sent.headers }).filter(([, value]) => value !== undefined))
  return new Promise((resolve, reject) => {
    const req = httpRequest({ port: endpoint.port, path: sent.path ?? '/mcp/g', method: sent.method ?? 'POST', headers: headers as Record<string, string>, agent: false }, resolve)
    req.once('error', reject)
    req.end(sent.body === undefined ? undefined : typeof sent.body === 'string' ? sent.body : JSON.stringify(sent.body))
  })
}

async function send(sent: Sent): Promise<Answer> {
  const res = await open(sent)
  let text = ''
  for await (const chunk of res) text += String(chunk)
  const data = text.split('\n').findLast((line) => line.startsWith('data: '))?.slice(6) ?? text
  return { status: res.statusCode ?? 0, headers: res.headers, text, json: (data === '' ? {} : JSON.parse(data)) as JsonObject }
}

function modern(method: string, params: JsonObject = {}, more: { readonly headers?: Record<string, string | undefined>; readonly meta?: JsonObject; readonly token?: string; readonly path?: string } = {}): Promise<Answer> {
  const name = typeof params['name'] === 'string' ? { 'mcp-name': params['name'] } : {}
  return send({ ...more, headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...name, ...more.headers }, body: { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: more.meta ?? meta } } })
}

async function initialize(version = '2025-11-25', token = 'alice'): Promise<Record<string, string>> {
  const answered = await send({ token, body: { jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: version, capabilities: {}, clientInfo: { name: 't', version: '1' } } } })
  return { 'mcp-session-id': String(answered.headers['mcp-session-id']), 'mcp-protocol-version': version }
}

const errorOf = (answered: Answer): JsonObject => answered.json['error'] as JsonObject
const resultOf = (answered: Answer): JsonObject => answered.json['result'] as JsonObject

describe('who may talk to the endpoint', () => {
  test.each([
    [{ host: 'evil.example.com' }],
    [{ host: 'localhost.evil.example.com' }],
    [{ host: 'localhost@evil.example.com' }],
    [{ host: '127.0.0.1:4100', origin: 'http://evil.example.com' }],
    [{ host: '127.0.0.1:4100', origin: 'null' }],
    [{ host: '127.0.0.1:4100', origin: 'http://localhost.evil.example.com' }],
    [{ host: '127.0.0.1:4100', origin: 'file://localhost' }],
  ])('a foreign Host or Origin is refused: %o', async (headers) => {
    const answered = await modern('server/discover', {}, { headers })
    expect(answered.status).toBe(403)
    expect(errorOf(answered)['data']).toMatchObject({ code: 'request.host' })
  })

  test.each([[{ host: 'localhost' }], [{ host: 'LOCALHOST:80', origin: 'http://127.0.0.1:5173' }], [{ host: '[::1]:4100' }], [{ host: 'tools.example.com:443', origin: 'https://tools.example.com' }]])('a name of the gateway is accepted: %o', async (headers) => {
    expect((await modern('server/discover', {}, { headers })).status).toBe(200)
  })

  test('without a credential the answer is 401 with a challenge', async () => {
    const answered = await send({ headers: { authorization: undefined }, body: {} })
    expect(answered.status).toBe(401)
    expect(answered.headers['www-authenticate']).toBe('Bearer')
    expect(errorOf(answered)['data']).toMatchObject({ code: 'auth.missing_key' })
  })

  test('a gateway that does not exist or is not granted is 404 in both eras', async () => {
    expect((await modern('tools/list', {}, { path: '/mcp/other' })).status).toBe(404)
    expect((await send({ path: '/mcp/other', body: { jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25' } } })).status).toBe(404)
  })
})

describe('bodies', () => {
  test.each([
    ['not JSON', '{', 400, 'request.malformed'],
    ['a key twice', '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', 400, 'request.ambiguous_key'],
    ['a key twice deep in arguments', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":{"b":1,"b":2}}}}', 400, 'request.ambiguous_key'],
    ['a case variant in the envelope', '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}', 400, 'request.ambiguous_key'],
    ['a case variant in params', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}', 400, 'request.ambiguous_key'],
    ['an escaped duplicate', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","n\\u0061me":"b"}}', 400, 'request.ambiguous_key'],
    ['too deep', `{"a":${'['.repeat(50)}${']'.repeat(50)}}`, 400, 'request.too_deep'],
    ['too large', `{"a":"${'x'.repeat(5000)}"}`, 413, 'request.too_large'],
  ])('%s is refused', async (_what, body, status, code) => {
    const answered = await send({ body })
    expect(answered.status).toBe(status)
    expect(errorOf(answered)['data']).toMatchObject({ code })
  })

  test('keys that differ only in case are data inside arguments', async () => {
    const answered = await modern('tools/call', { name: 's__t000', arguments: { path: 1, Path: 2 } })
    expect(answered.status).toBe(200)
    expect(calls[0]?.args).toEqual({ path: 1, Path: 2 })
  })

  test.each([
    [{ 'content-type': 'text/plain' }, 415],
    [{ 'content-encoding': 'gzip' }, 415],
    [{ accept: 'text/html' }, 406],
  ])('headers that announce something else are refused: %o', async (headers, status) => {
    expect((await modern('server/discover', {}, { headers })).status).toBe(status)
  })

  test('a chunked body over the limit is refused while it arrives', async () => {
    const received = await new Promise<string>((resolve) => {
      const socket = connectSocket(endpoint.port, '127.0.0.1')
      let text = ''
      socket.on('data', (chunk) => (text += String(chunk)))
      socket.on('error', () => {})
      socket.on('close', () => resolve(text))
      socket.write('POST /mcp/g HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer alice\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n')
      socket.write(`1388\r\n${'x'.repeat(5000)}\r\n`)
    })
    expect(received).toMatch(/^HTTP\/1\.1 413 /)
    expect(received).toMatch(/connection: close/i)
  })
})

describe('modern requests (2026-07-28)', () => {
  test('server/discover names versions, capabilities and how long to believe it', async () => {
    expect(resultOf(await modern('server/discover'))).toMatchObject({ resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: { listChanged: true } }, cacheScope: 'private', ttlMs: expect.any(Number) })
  })

  test.each([
    ['protocolVersion', 'io.modelcontextprotocol/protocolVersion'],
    ['clientCapabilities', 'io.modelcontextprotocol/clientCapabilities'],
  ])('a missing %s is 400 with -32602', async (_name, key) => {
    const answered = await modern('tools/list', {}, { meta: Object.fromEntries(Object.entries(meta).filter(([each]) => each !== key)) })
    expect([answered.status, errorOf(answered)['code']]).toEqual([400, -32602])
  })

  test('no _meta at all is 400 with -32602', async () => {
    const answered = await send({ headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' }, body: { jsonrpc: '2.0', id: 1, method: 'tools/list' } })
    expect([answered.status, errorOf(answered)['code']]).toEqual([400, -32602])
  })

  test('an unknown version is 400 with -32022 and the supported versions', async () => {
    const version = '1900-01-01'
    const answered = await modern('tools/list', {}, { headers: { 'mcp-protocol-version': version }, meta: { ...meta, 'io.modelcontextprotocol/protocolVersion': version } })
    expect(answered.status).toBe(400)
    expect(errorOf(answered)).toMatchObject({ code: -32022, data: { requested: version, supported: expect.arrayContaining(['2026-07-28', '2025-11-25']) } })
  })

  test.each([
    ['another version', { 'mcp-protocol-version': '2025-11-25' }],
    ['no version', { 'mcp-protocol-version': undefined }],
    ['another method', { 'mcp-method': 'tools/list' }],
    ['a method in another case', { 'mcp-method': 'Tools/Call' }],
    ['no method', { 'mcp-method': undefined }],
    ['another name', { 'mcp-name': 's__t001' }],
    ['no name', { 'mcp-name': undefined }],
    ['a name that is not base64', { 'mcp-name': '=?base64?%%%?=' }],
    ['an encoded other name', { 'mcp-name': '=?base64?c19fdDAwMQ==?=' }],
  ])('headers with %s are 400 with -32020 and reach no tool', async (_what, headers) => {
    const answered = await modern('tools/call', { name: 's__t000' }, { headers })
    expect([answered.status, errorOf(answered)['code']]).toEqual([400, -32020])
    expect(calls).toEqual([])
  })

  test('an encoded name is decoded before it is compared', async () => {
    expect((await modern('tools/call', { name: 's__t000' }, { headers: { 'mcp-name': '=?base64?c19fdDAwMA==?=' } })).status).toBe(200)
  })

  test.each(['ping', 'resources/list', 'logging/setLevel', 'constructor'])('the method %s is 404 with -32601', async (method) => {
    const answered = await modern(method)
    expect([answered.status, errorOf(answered)['code']]).toEqual([404, -32601])
  })

  test.each(['GET', 'DELETE', 'PUT', 'OPTIONS'])('%s without a session is 405', async (method) => {
    const answered = await send({ method })
    expect(answered.status).toBe(405)
    expect(answered.headers['allow']).toBe('POST')
  })

  test.each([[{ jsonrpc: '2.0', id: null, method: 'tools/list', params: { _meta: meta } }], [{ jsonrpc: '1.0', id: 1, method: 'tools/list', params: { _meta: meta } }], [{ jsonrpc: '2.0', id: 1, method: 'tools/list', params: [] }], [{ jsonrpc: '2.0', id: 1, result: {} }], ['"text"']])('a body that is no request is 400: %o', async (body) => {
    const answered = await send({ headers: { 'mcp-protocol-version': '2026-07-28' }, body })
    expect([answered.status, errorOf(answered)['code']]).toEqual([400, -32600])
  })

  test('a notification is accepted without a body', async () => {
    const answered = await send({ headers: { 'mcp-protocol-version': '2026-07-28' }, body: { jsonrpc: '2.0', method: 'notifications/whatever' } })
    expect([answered.status, answered.text]).toEqual([202, ''])
  })

  test('unknown fields survive in results, and trace context in requests', async () => {
    const answered = await modern('tools/call', { name: 's__t000', arguments: {} }, { meta: { ...meta, traceparent: '00-a-b-01', 'com.example/x': { y: 1 } } })
    expect(resultOf(answered)).toMatchObject({ novel: { field: 1 }, resultType: 'complete' })
    expect(calls[0]?.meta).toMatchObject({ traceparent: '00-a-b-01', 'com.example/x': { y: 1 } })
  })

  test('an unknown tool answers -32602 inside a successful exchange', async () => {
    const answered = await modern('tools/call', { name: 'unknown' })
    expect([answered.status, errorOf(answered)['code'], errorOf(answered)['message']]).toEqual([200, -32602, 'Unknown tool: unknown'])
  })

  test('progress turns the answer into a stream that carries the client’s own token', async () => {
    answer = async (call) => {
      for (const progress of [1, 3, 2]) call.onProgress?.({ progressToken: 99, progress, message: 'm' })
      return { content: [] }
    }
    const answered = await modern('tools/call', { name: 's__t000' }, { meta: { ...meta, progressToken: 'mine' } })
    expect(answered.headers['content-type']).toBe('text/event-stream')
    expect(answered.headers['x-accel-buffering']).toBe('no')
    const events = answered.text.split('\n').filter((line) => line.startsWith('data: ')).map((line) => JSON.parse(line.slice(6)) as JsonObject)
    expect(events.slice(0, -1).map(({ params }) => params)).toEqual([{ progressToken: 'mine', progress: 1, message: 'm' }, { progressToken: 'mine', progress: 3, message: 'm' }])
    expect(events.at(-1)).toMatchObject({ id: 1, result: { resultType: 'complete' } })
  })

  test('without a token nobody is asked for progress', async () => {
    const answered = await modern('tools/call', { name: 's__t000' })
    expect(answered.headers['content-type']).toBe('application/json')
    expect(calls[0]?.onProgress).toBeUndefined()
  })

  test('a client that goes away has cancelled', async () => {
    const aborted = new Promise<void>((resolve) => {
      answer = async (call) => {
        call.signal.addEventListener('abort', () => resolve())
        call.onProgress?.({ progress: 1 })
        return new Promise(() => {})
      }
    })
    const res = await open({ headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'x' }, body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'x', _meta: { ...meta, progressToken: 1 } } } })
    res.destroy()
    await aborted
  })

  test('arguments that do not fit are a result the model can read', async () => {
    answer = async () => {
      throw new TurnwardError('mcp.arguments', { subject: 'x', why: '`a`: wrong' })
    }
    expect(resultOf(await modern('tools/call', { name: 'x' }))).toMatchObject({ isError: true, resultType: 'complete' })
  })

  test('a failure of the gateway is coded and says nothing of its cause', async () => {
    answer = async () => {
      throw new Error('secret detail')
    }
    const answered = await modern('tools/call', { name: 'x' })
    expect(errorOf(answered)).toMatchObject({ code: -32603, data: { code: 'gateway.internal' } })
    expect(answered.text).not.toContain('secret detail')
  })
})

describe('pages', () => {
  async function pages(list: (cursor: JsonObject) => Promise<JsonObject>): Promise<string[][]> {
    const seen: string[][] = []
    let cursor: JsonObject = {}
    do {
      const result = await list(cursor)
      seen.push((result['tools'] as JsonObject[]).map(({ name }) => String(name)))
      cursor = result['nextCursor'] === undefined ? {} : { cursor: result['nextCursor'] }
    } while ('cursor' in cursor)
    return seen
  }

  test('a long list comes in pages of 100, each tool once, unknown fields kept', async () => {
    const seen = await pages(async (cursor) => resultOf(await modern('tools/list', cursor)))
    expect(seen.map((page) => page.length)).toEqual([100, 100, 50])
    expect(seen.flat()).toEqual(tools.map(({ name }) => name))
    expect((resultOf(await modern('tools/list'))['tools'] as JsonObject[])[3]).toEqual(tools[3])
  })

  test('a cursor of another principal, a changed cursor and one of ours from nowhere are refused', async () => {
    const cursor = String(resultOf(await modern('tools/list'))['nextCursor'])
    for (const [token, sent] of [['bob', cursor], ['alice', `${cursor.slice(0, -2)}AA`], ['alice', 'x'], ['alice', '']] as const) {
      expect(errorOf(await modern('tools/list', { cursor: sent }, { token }))['code']).toBe(-32602)
    }
  })
})

describe('subscriptions/listen', () => {
  async function listen(notifications: JsonObject): Promise<IncomingMessage> {
    return open({ headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' }, body: { jsonrpc: '2.0', id: 'sub', method: 'subscriptions/listen', params: { notifications, _meta: meta } } })
  }
  const tag = { 'io.modelcontextprotocol/subscriptionId': 'sub' }

  test('acknowledges what it honours, tags what it sends, and ends with a result', async () => {
    const res = await listen({ toolsListChanged: true, promptsListChanged: true })
    const events: JsonObject[] = []
    for await (const chunk of res) {
      for (const line of String(chunk).split('\n')) if (line.startsWith('data: ')) events.push(JSON.parse(line.slice(6)) as JsonObject)
      if (events.length === 1) changed?.()
      if (events.length === 2) endpoint.endpoint.close()
    }
    expect(events).toEqual([
      { jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: { _meta: tag, notifications: { toolsListChanged: true } } },
      { jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: { _meta: tag } },
      { jsonrpc: '2.0', id: 'sub', result: { resultType: 'complete', _meta: expect.objectContaining(tag) } },
    ])
    expect(changed).toBeUndefined()
    expect((await modern('server/discover')).status).toBe(503)
  })

  test('stops watching when the client goes away', async () => {
    const res = await listen({ toolsListChanged: true })
    await new Promise((resolve) => res.once('data', resolve))
    expect(changed).toBeDefined()
    res.destroy()
    await expect.poll(() => changed).toBeUndefined()
  })
})

describe('legacy sessions', () => {
  test.each([
    ['2025-11-25', '2025-11-25'],
    ['2025-06-18', '2025-06-18'],
    ['2025-03-26', '2025-03-26'],
    ['2024-11-05', '2024-11-05'],
    ['2031-01-01', '2025-11-25'],
  ])('a client that asks for %s gets %s', async (asked, given) => {
    const answered = await send({ body: { jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: asked } } })
    expect(resultOf(answered)).toMatchObject({ protocolVersion: given, serverInfo: { name: 'turnward' } })
    expect(answered.headers['mcp-session-id']).toMatch(/^[\x21-\x7e]+$/)
  })

  test('serves ping, list and call; accepts notifications and stray responses', async () => {
    const headers = await initialize()
    const ask = (method: string, params: JsonObject = {}): Promise<Answer> => send({ headers, body: { jsonrpc: '2.0', id: 'x', method, params } })
    expect((await ask('ping')).json).toEqual({ jsonrpc: '2.0', id: 'x', result: {} })
    expect((resultOf(await ask('tools/list'))['tools'] as JsonObject[]).length).toBe(100)
    expect(resultOf(await ask('tools/call', { name: 's__t000' }))).toEqual({ content: [{ type: 'text', text: 's__t000' }], novel: { field: 1 } })
    expect(errorOf(await ask('resources/list'))['code']).toBe(-32601)
    expect((await send({ headers, body: { jsonrpc: '2.0', method: 'notifications/initialized' } })).status).toBe(202)
    expect((await send({ headers, body: { jsonrpc: '2.0', id: 7, result: {} } })).status).toBe(202)
  })

  test('without a session id 400; unknown, of another principal, of another gateway, or ended 404', async () => {
    const headers = await initialize()
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
    expect((await send({ headers: { 'mcp-protocol-version': '2025-11-25' }, body: ping })).status).toBe(400)
    expect((await send({ headers: { 'mcp-session-id': 'nope' }, body: ping })).status).toBe(404)
    expect((await send({ headers, body: ping, token: 'bob' })).status).toBe(404)
    expect((await send({ headers, body: ping, path: '/mcp/other' })).status).toBe(404)
    expect((await send({ headers, body: ping })).status).toBe(200)
    expect((await send({ headers, method: 'DELETE', token: 'bob' })).status).toBe(404)
    expect((await send({ headers, method: 'DELETE' })).status).toBe(204)
    expect((await send({ headers, body: ping })).status).toBe(404)
  })

  test('a protocol version we do not speak is 400', async () => {
    const headers = await initialize()
    expect((await send({ headers: { ...headers, 'mcp-protocol-version': '1999-01-01' }, body: { jsonrpc: '2.0', id: 1, method: 'ping' } })).status).toBe(400)
  })

  test('batches exist in 2025-03-26 only', async () => {
    const batch = [{ jsonrpc: '2.0', id: 1, method: 'ping' }, { jsonrpc: '2.0', method: 'notifications/initialized' }, { jsonrpc: '2.0', id: 2, method: 'nothing' }]
    const answered = await send({ headers: await initialize('2025-03-26'), body: batch })
    expect(answered.json).toMatchObject([{ id: 1, result: {} }, { id: 2, error: { code: -32601 } }])
    expect((await send({ headers: await initialize('2025-06-18'), body: batch })).status).toBe(400)
    expect((await send({ headers: await initialize('2025-03-26'), body: Array.from({ length: 51 }, () => batch[0]) })).status).toBe(400)
  })

  test('a lost connection does not cancel; notifications/cancelled does, and only in its own session', async () => {
    const headers = await initialize()
    const other = await initialize()
    let stopped = false
    const begun = new Promise<void>((begin) => {
      answer = (call) =>
        new Promise((_resolve, reject) => {
          call.signal.addEventListener('abort', () => {
            stopped = true
            reject(new TurnwardError('request.cancelled'))
          })
          call.onProgress?.({ progress: 1 })
          begin()
        })
    })
    const res = await open({ headers, body: { jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name: 'x', _meta: { progressToken: 1 } } } })
    await begun
    res.destroy()
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } }
    await send({ headers: other, body: cancel })
    await send({ headers, body: { ...cancel, params: { requestId: '5' } } })
    expect(stopped).toBe(false)
    await send({ headers, body: cancel })
    expect(stopped).toBe(true)
  })

  test('the GET stream announces changed tools and ends with the session', async () => {
    const headers = await initialize()
    const res = await open({ headers, method: 'GET' })
    expect([res.statusCode, res.headers['content-type']]).toEqual([200, 'text/event-stream'])
    await expect.poll(() => changed).toBeDefined()
    changed?.()
    let text = ''
    for await (const chunk of res) {
      text += String(chunk)
      if (text.includes('list_changed')) await send({ headers, method: 'DELETE' })
    }
    expect(text).toContain('data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}')
    expect(changed).toBeUndefined()
  })

  test('a second GET stream replaces the first, so a message goes to one of them', async () => {
    const headers = await initialize()
    const first = await open({ headers, method: 'GET' })
    const ended = new Promise((resolve) => first.resume().once('end', resolve))
    const second = await open({ headers, method: 'GET' })
    await ended
    expect(second.statusCode).toBe(200)
    second.destroy()
  })

  test('what only the modern era knows is not shown: structured content that is no object, resultType', async () => {
    answer = async () => ({ content: [], structuredContent: [1, 2], resultType: 'complete' })
    const headers = await initialize()
    expect(resultOf(await send({ headers, body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'x' } } }))).toEqual({ content: [] })
  })
})

describe('with other settings', () => {
  test('a long silence becomes a stream of comments, so that the connection lives', async () => {
    await endpoint.close()
    endpoint = await serveEndpoint(operations, () => snapshotOf({ turns: { keep_alive_ms: 5 } }))
    const release = Promise.withResolvers<JsonObject>()
    answer = () => release.promise
    const res = await open({ headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'x' }, body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'x', _meta: meta } } })
    let text = ''
    for await (const chunk of res) {
      text += String(chunk)
      release.resolve({ content: [] })
    }
    expect(text).toMatch(/^: keep-alive\n\n/)
    expect(text).toContain('"resultType":"complete"')
  })

  test('a client that takes no stream waits for its JSON', async () => {
    await endpoint.close()
    endpoint = await serveEndpoint(operations, () => snapshotOf({ turns: { keep_alive_ms: 5 } }))
    answer = async (call) => (call.onProgress?.({ progress: 1 }), { content: [] })
    const answered = await modern('tools/call', { name: 'x' }, { headers: { accept: 'application/json' }, meta: { ...meta, progressToken: 1 } })
    expect(answered.headers['content-type']).toBe('application/json')
  })

  test('Mcp-Param headers of a shown tool must agree with the arguments; a hidden tool does not tell that it exists', async () => {
    const definition = { name: 't', inputSchema: { type: 'object', properties: { r: { type: 'string', 'x-mcp-header': 'Region' } } } }
    const { tools: read } = readTools('s', [definition, { ...definition, name: 'hidden' }])
    const gateway = { name: 'g', servers: ['s'], tools: { matches: () => true }, instructions: undefined }
    const catalogue = buildCatalogue(gateway, [{ name: 's', missing: undefined, tools: read, leftOut: new Map() }])
    await endpoint.close()
    endpoint = await serveEndpoint({ ...operations, listTools: async () => read.filter(({ name }) => name === 's__t').map((tool) => tool.definition) }, () => snapshotOf({}), { catalogue: async () => catalogue })
    const call = (name: string, headers: Record<string, string>): Promise<Answer> => modern('tools/call', { name, arguments: { r: 'eu' } }, { headers })
    for (const headers of [{}, { 'mcp-param-region': 'us' }]) {
      const answered = await call('s__t', headers)
      expect([answered.status, errorOf(answered)['code']]).toEqual([400, -32020])
    }
    expect(calls).toEqual([])
    expect((await call('s__t', { 'mcp-param-region': 'eu' })).status).toBe(200)
    await call('s__hidden', {})
    expect(calls.map(({ name }) => name)).toEqual(['s__t', 's__hidden'])
  })
})
