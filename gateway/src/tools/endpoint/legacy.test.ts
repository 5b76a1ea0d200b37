/** The legacy wire (2024-11-05 to 2025-11-25) on raw requests. */
import { describe, expect, test } from 'vitest'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { calls, changed, errorOf, initialize, open, resultOf, script, send, useEndpoint, type Answer } from './wire.fixture.ts'

useEndpoint()

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
    const ask = (method: string, params: JsonObject = {}): Promise<Answer> =>
      send({ headers, body: { jsonrpc: '2.0', id: 'x', method, params } })
    expect((await ask('ping')).json).toEqual({ jsonrpc: '2.0', id: 'x', result: {} })
    expect((resultOf(await ask('tools/list')).tools as JsonObject[]).length).toBe(100)
    expect(resultOf(await ask('tools/call', { name: 's__t000' }))).toEqual({
      content: [{ type: 'text', text: 's__t000' }],
      novel: { field: 1 },
    })
    expect(errorOf(await ask('roots/list')).code).toBe(-32601)
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
    expect(
      (await send({ headers: { ...headers, 'mcp-protocol-version': '1999-01-01' }, body: { jsonrpc: '2.0', id: 1, method: 'ping' } }))
        .status,
    ).toBe(400)
  })

  test('batches exist in 2025-03-26 only', async () => {
    const batch = [
      { jsonrpc: '2.0', id: 1, method: 'ping' },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 2, method: 'nothing' },
    ]
    const answered = await send({ headers: await initialize('2025-03-26'), body: batch })
    expect(answered.json).toMatchObject([
      { id: 1, result: {} },
      { id: 2, error: { code: -32601 } },
    ])
    expect((await send({ headers: await initialize('2025-06-18'), body: batch })).status).toBe(400)
    expect((await send({ headers: await initialize('2025-03-26'), body: Array.from({ length: 51 }, () => batch[0]) })).status).toBe(400)
  })

  test('a lost connection does not cancel; notifications/cancelled does, and only in its own session', async () => {
    const headers = await initialize()
    const other = await initialize()
    let stopped = false
    const begun = new Promise<void>((begin) => {
      script(
        (call) =>
          new Promise((_resolve, reject) => {
            call.signal.addEventListener('abort', () => {
              stopped = true
              reject(new TurnwardError('request.cancelled'))
            })
            call.onProgress?.({ progress: 1 })
            begin()
          }),
      )
    })
    const res = await open({
      headers,
      body: { jsonrpc: '2.0', id: 5, method: 'tools/call', params: { name: 'x', _meta: { progressToken: 1 } } },
    })
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

  test('what a client writes as null is not there', async () => {
    const headers = await initialize()
    const call = await send({
      headers,
      body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'x', arguments: null, _meta: null } },
    })
    expect([call.status, calls[0]?.args, calls[0]?.meta]).toEqual([200, {}, undefined])
    const list = await send({ headers, body: { jsonrpc: '2.0', id: 2, method: 'tools/list', params: { cursor: null } } })
    expect(resultOf(list).tools).toHaveLength(100)
    expect((await send({ headers, body: { jsonrpc: '2.0', id: 3, method: 'ping', params: null } })).status).toBe(200)
    const notified = await send({ headers, body: { jsonrpc: '2.0', id: null, method: 'notifications/initialized', params: null } })
    expect(notified.status).toBe(202)
    expect((await send({ headers, body: { jsonrpc: '2.0', id: null, method: 'ping' } })).status).toBe(400)
  })

  test('progress is told without what no client could read', async () => {
    script(async ({ onProgress }) => {
      onProgress?.({ progress: 1, total: null, message: null, novel: 1 })
      onProgress?.({ progress: 2, total: 3, message: 'two' })
      return { content: [] }
    })
    const params = { name: 'x', _meta: { progressToken: 'p' } }
    const { text } = await send({ headers: await initialize(), body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params } })
    const told = text.split('\n').flatMap((line) => (line.includes('notifications/progress') ? [JSON.parse(line.slice(6)).params] : []))
    expect(told).toEqual([
      { progress: 1, novel: 1, progressToken: 'p' },
      { progress: 2, total: 3, message: 'two', progressToken: 'p' },
    ])
  })

  test('what only the modern era knows is not shown: structured content that is no object, resultType', async () => {
    script(async () => ({ content: [], structuredContent: [1, 2], resultType: 'complete' }))
    const headers = await initialize()
    expect(resultOf(await send({ headers, body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'x' } } }))).toEqual({
      content: [],
    })
  })
})
