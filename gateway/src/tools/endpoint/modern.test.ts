/** The modern wire (2026-07-28) on raw requests. */
import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { McpOperations } from '../operations.ts'
import { snapshotOf } from '../running-parts.fixture.ts'
import {
  calls,
  changed,
  endpoint,
  errorOf,
  meta,
  modern,
  open,
  operations,
  reopen,
  resultOf,
  script,
  send,
  useEndpoint,
} from './wire.fixture.ts'

useEndpoint()

describe('modern requests (2026-07-28)', () => {
  test('server/discover names versions, capabilities and how long to believe it', async () => {
    expect(resultOf(await modern('server/discover'))).toMatchObject({
      resultType: 'complete',
      supportedVersions: ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'],
      capabilities: { tools: { listChanged: true }, resources: {}, prompts: {}, completions: {} },
      cacheScope: 'private',
      ttlMs: expect.any(Number),
    })
  })

  test.each([
    ['protocolVersion', 'io.modelcontextprotocol/protocolVersion'],
    ['clientCapabilities', 'io.modelcontextprotocol/clientCapabilities'],
  ])('a missing %s is 400 with -32602', async (_name, key) => {
    const answered = await modern('tools/list', {}, { meta: Object.fromEntries(Object.entries(meta).filter(([each]) => each !== key)) })
    expect([answered.status, errorOf(answered).code]).toEqual([400, -32602])
  })

  test('no _meta at all is 400 with -32602', async () => {
    const answered = await send({
      headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' },
      body: { jsonrpc: '2.0', id: 1, method: 'tools/list' },
    })
    expect([answered.status, errorOf(answered).code]).toEqual([400, -32602])
  })

  test('an unknown version is 400 with -32022 and the supported versions', async () => {
    const version = '1900-01-01'
    const answered = await modern(
      'tools/list',
      {},
      { headers: { 'mcp-protocol-version': version }, meta: { ...meta, 'io.modelcontextprotocol/protocolVersion': version } },
    )
    expect(answered.status).toBe(400)
    expect(errorOf(answered)).toMatchObject({
      code: -32022,
      data: { requested: version, supported: expect.arrayContaining(['2026-07-28', '2025-11-25']) },
    })
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
    expect([answered.status, errorOf(answered).code]).toEqual([400, -32020])
    expect(calls).toEqual([])
  })

  test('an encoded name is decoded before it is compared', async () => {
    expect((await modern('tools/call', { name: 's__t000' }, { headers: { 'mcp-name': '=?base64?c19fdDAwMA==?=' } })).status).toBe(200)
  })

  test('-32020 says which headers are compared', async () => {
    const { fix } = errorOf(await modern('tools/call', { name: 's__t000' }, { headers: { 'mcp-name': undefined } })).data as JsonObject
    for (const header of ['MCP-Protocol-Version', 'Mcp-Method', 'Mcp-Name', 'Mcp-Param-*']) expect(fix).toContain(`\`${header}\``)
  })

  test('a resource that is not there is told with its URI', async () => {
    const read: McpOperations['read'] = () => Promise.reject(new TurnwardError('mcp.not_found'))
    await reopen(snapshotOf({}), { ...operations, read })
    const uri = 'test://nowhere'
    expect(errorOf(await modern('resources/read', { uri }, { headers: { 'mcp-name': uri } }))).toMatchObject({
      code: -32602,
      data: { uri },
    })
  })

  test.each(['initialize', 'ping', 'roots/list', 'logging/setLevel', 'constructor'])('the method %s is 404 with -32601', async (method) => {
    const answered = await modern(method)
    expect([answered.status, errorOf(answered).code]).toEqual([404, -32601])
  })

  test.each(['GET', 'DELETE', 'PUT', 'OPTIONS'])('%s without a session is 405', async (method) => {
    const answered = await send({ method })
    expect(answered.status).toBe(405)
    expect(answered.headers.allow).toBe('POST')
  })

  test.each([
    [{ jsonrpc: '2.0', id: null, method: 'tools/list', params: { _meta: meta } }],
    [{ jsonrpc: '1.0', id: 1, method: 'tools/list', params: { _meta: meta } }],
    [{ jsonrpc: '2.0', id: 1, method: 'tools/list', params: [] }],
    [{ jsonrpc: '2.0', id: 1, result: {} }],
    ['"text"'],
  ])('a body that is no request is 400: %o', async (body) => {
    const answered = await send({ headers: { 'mcp-protocol-version': '2026-07-28' }, body })
    expect([answered.status, errorOf(answered).code]).toEqual([400, -32600])
  })

  test('a notification is accepted without a body', async () => {
    const answered = await send({
      headers: { 'mcp-protocol-version': '2026-07-28' },
      body: { jsonrpc: '2.0', method: 'notifications/whatever' },
    })
    expect([answered.status, answered.text]).toEqual([202, ''])
  })

  test('unknown fields survive in results, and trace context in requests', async () => {
    const answered = await modern(
      'tools/call',
      { name: 's__t000', arguments: {} },
      { meta: { ...meta, traceparent: '00-a-b-01', 'com.example/x': { y: 1 } } },
    )
    expect(resultOf(answered)).toMatchObject({ novel: { field: 1 }, resultType: 'complete' })
    expect(calls[0]?.meta).toMatchObject({ traceparent: '00-a-b-01', 'com.example/x': { y: 1 } })
  })

  test('an unknown tool answers -32602 inside a successful exchange', async () => {
    const answered = await modern('tools/call', { name: 'unknown' })
    expect([answered.status, errorOf(answered).code, errorOf(answered).message]).toEqual([200, -32602, 'Unknown tool: unknown'])
  })

  test('progress turns the answer into a stream that carries the client’s own token', async () => {
    script(async (call) => {
      for (const progress of [1, 3, 2]) call.onProgress?.({ progressToken: 99, progress, message: 'm' })
      return { content: [] }
    })
    const answered = await modern('tools/call', { name: 's__t000' }, { meta: { ...meta, progressToken: 'mine' } })
    expect(answered.headers['content-type']).toBe('text/event-stream')
    expect(answered.headers['x-accel-buffering']).toBe('no')
    const events = answered.text
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => JSON.parse(line.slice(6)) as JsonObject)
    expect(events.slice(0, -1).map(({ params }) => params)).toEqual([
      { progressToken: 'mine', progress: 1, message: 'm' },
      { progressToken: 'mine', progress: 3, message: 'm' },
    ])
    expect(events.at(-1)).toMatchObject({ id: 1, result: { resultType: 'complete' } })
  })

  test('without a token nobody is asked for progress', async () => {
    const answered = await modern('tools/call', { name: 's__t000' })
    expect(answered.headers['content-type']).toBe('application/json')
    expect(calls[0]?.onProgress).toBeUndefined()
  })

  test('a client that goes away has cancelled', async () => {
    const aborted = new Promise<void>((resolve) => {
      script(async (call) => {
        call.signal.addEventListener('abort', () => resolve())
        call.onProgress?.({ progress: 1 })
        return new Promise(() => {})
      })
    })
    const res = await open({
      headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'x' },
      body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'x', _meta: { ...meta, progressToken: 1 } } },
    })
    res.destroy()
    await aborted
  })

  test('a failure of the gateway is coded and says nothing of its cause', async () => {
    script(async () => {
      throw new Error('secret detail')
    })
    const answered = await modern('tools/call', { name: 'x' })
    expect(errorOf(answered)).toMatchObject({ code: -32603, data: { code: 'gateway.internal' } })
    expect(answered.text).not.toContain('secret detail')
  })
})

describe('subscriptions/listen', () => {
  async function listen(notifications: JsonObject): Promise<IncomingMessage> {
    return open({
      headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' },
      body: { jsonrpc: '2.0', id: 'sub', method: 'subscriptions/listen', params: { notifications, _meta: meta } },
    })
  }
  const tag = { 'io.modelcontextprotocol/subscriptionId': 'sub' }

  test('acknowledges what it honours, tags what it sends, and ends with a result', async () => {
    const res = await listen({ toolsListChanged: true, promptsListChanged: true, unknownChanged: true })
    const events: JsonObject[] = []
    for await (const chunk of res) {
      for (const line of String(chunk).split('\n')) if (line.startsWith('data: ')) events.push(JSON.parse(line.slice(6)) as JsonObject)
      if (events.length === 1) changed?.()
      if (events.length === 3) await endpoint.endpoint.close()
    }
    expect(events).toEqual([
      {
        jsonrpc: '2.0',
        method: 'notifications/subscriptions/acknowledged',
        params: { _meta: tag, notifications: { toolsListChanged: true, promptsListChanged: true } },
      },
      { jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: { _meta: tag } },
      { jsonrpc: '2.0', method: 'notifications/prompts/list_changed', params: { _meta: tag } },
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
