/** HTTP servers that answer as real ones do and no specification says: each keeps what can be kept, and says why the rest is not. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../core/json.ts'
import { shapedResult } from './connectors/result-shape.ts'
import { listenOn, startFleet, type TestFleet } from './running-parts.fixture.ts'

const closing: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

interface Asked {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly body: JsonObject
}

const tool = (name: string): JsonObject => ({ name, inputSchema: { type: 'object' } })
const done: JsonObject = { content: [{ type: 'text', text: 'done' }] }

function json(response: ServerResponse, body: JsonObject, status = 200, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ jsonrpc: '2.0', ...body }))
}

/** A legacy server that is as it should be, but for what `odd` answers itself. */
async function serve(odd: (asked: Asked, response: ServerResponse) => boolean): Promise<{ readonly url: string; readonly asked: Asked[] }> {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const each = { method: request.method ?? '', headers: request.headers, body: (text === '' ? {} : JSON.parse(text)) as JsonObject }
    asked.push(each)
    if (odd(each, response)) return
    const { id, method } = each.body
    const result: Record<string, JsonObject> = {
      initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'odd', version: '1' } },
      'tools/list': { tools: [tool('t')] },
      'tools/call': done,
      ping: {},
    }
    if (each.method !== 'POST') response.writeHead(405).end()
    else if (id === undefined) response.writeHead(202).end()
    else if (typeof method === 'string' && result[method] !== undefined)
      json(response, { id, result: result[method] }, 200, { 'mcp-session-id': `s${asked.length}` })
    else json(response, { id, error: { code: -32601, message: 'no' } })
  })
  const port = await listenOn(server)
  closing.push(() => (server.closeAllConnections(), void server.close()))
  return { url: `http://127.0.0.1:${port}/mcp`, asked }
}

function start(url: string, more: JsonObject = { era: 'legacy' }): TestFleet {
  const fleet = startFleet({ servers: { s: { transport: 'http', url, ...more } }, gateways: { g: { servers: ['s'] } } })
  closing.push(() => fleet.fleet.close())
  return fleet
}

async function names(fleet: TestFleet): Promise<readonly string[]> {
  return (await fleet.catalogue('g')).tools.map(({ name }) => name)
}

async function call(fleet: TestFleet): Promise<JsonObject> {
  const found = (await fleet.catalogue('g')).resolve('s__t')
  if (found === undefined) throw new Error(JSON.stringify(fleet.fleet.status()))
  return fleet.call(found, {}, { signal: new AbortController().signal, onProgress: undefined, meta: undefined })
}

const calls = (asked: readonly Asked[]): number => asked.filter(({ body }) => body.method === 'tools/call').length

describe('a probe that is answered oddly', () => {
  const ways: readonly (readonly [string, (response: ServerResponse) => void])[] = [
    ['HTTP 500', (response) => response.writeHead(500).end('oops')],
    ['HTTP 503', (response) => json(response, { id: 0, error: { code: -32603, message: 'x' } }, 503)],
    ['HTTP 202', (response) => response.writeHead(202).end()],
    ['HTTP 200', (response) => response.writeHead(200).end()],
    ['HTTP 200', (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end()],
    ['HTTP 200', (response) => json(response, { id: 0, result: null })],
    ['a closed connection', (response) => response.destroy()],
  ]

  test.each(ways)('(%s) is followed by the handshake', async (_how, answer) => {
    const { url } = await serve(({ body }, response) => body.method === 'server/discover' && (answer(response), true))
    expect(await names(start(url, {}))).toEqual(['s__t'])
  })

  test.each(ways)('(%s) is named when the handshake fails too, with what would help', async (how, answer) => {
    const { url } = await serve((_asked, response) => (answer(response), true))
    const fleet = start(url, {})
    await expect.poll(() => fleet.fleet.status()[0]?.detail).toContain('`era: legacy`')
    expect(fleet.fleet.status()[0]?.detail).toContain(how)
  })
})

describe('a list', () => {
  const pages = (list: (cursor: JsonValue | undefined) => JsonObject) =>
    serve(({ body }, response) => {
      if (body.method !== 'tools/list') return false
      json(response, { id: body.id ?? null, result: list((body.params as JsonObject | undefined)?.cursor) })
      return true
    })

  test.each<readonly [string, (cursor: JsonValue | undefined) => JsonObject, readonly string[], string | undefined]>([
    ['ends with an empty cursor', () => ({ tools: [tool('t')], nextCursor: '' }), ['s__t'], undefined],
    ['ends with null', () => ({ tools: [tool('t')], nextCursor: null }), ['s__t'], undefined],
    ['is null', () => ({ tools: null }), [], undefined],
    ['repeats one page for ever', () => ({ tools: [tool('t')], nextCursor: 'a' }), ['s__t'], 'it repeats a cursor'],
    [
      'goes in circles',
      (cursor) => ({ tools: [tool(`t${String(cursor)}`)], nextCursor: cursor === 'a' ? 'b' : 'a' }),
      ['s__ta', 's__tb', 's__tundefined'],
      'it repeats a cursor',
    ],
    ['has a cursor that is a number', () => ({ tools: [tool('t')], nextCursor: 2 }), ['s__t'], 'a cursor of its list of tools is not text'],
    [
      'has a page that is none',
      (cursor) => (cursor === 'a' ? { tools: 1 } : { tools: [tool('t')], nextCursor: 'a' }),
      ['s__t'],
      'a later page',
    ],
  ])('that %s keeps what was listed', async (_how, list, expected, why) => {
    const fleet = start((await pages(list)).url)
    expect(await names(fleet)).toEqual(expected)
    const detail = fleet.fleet.status()[0]?.detail
    if (why === undefined) expect(detail).toBeUndefined()
    else expect(detail).toContain(why)
  })

  test('without an end keeps the pages that were read', async () => {
    let page = 0
    const fleet = start((await pages(() => ({ tools: [tool(`t${(page += 1)}`)], nextCursor: String(page) }))).url)
    expect(await names(fleet)).toHaveLength(100)
    expect(fleet.fleet.status()[0]?.detail).toContain('too many pages')
  })

  test('with entries that are no tools has the others, and says how many are left out and why', async () => {
    const fleet = start((await pages(() => ({ tools: [null, tool('t'), 'x', { name: 'u' }] }))).url)
    expect(await names(fleet)).toEqual(['s__t'])
    expect(fleet.fleet.status()[0]?.detail).toBe('3 tools left out: it is not an object, it has no input schema')
  })
})

describe('a session that is lost', () => {
  const refusals: readonly (readonly [string, (response: ServerResponse) => void])[] = [
    ['404', (response) => response.writeHead(404).end()],
    ['400 in text', (response) => response.writeHead(400, { 'content-type': 'text/plain' }).end('no valid session')],
    ['400 with an error to nobody', (response) => json(response, { id: 'server-error', error: { code: -32600, message: 'x' } }, 400)],
    ['410', (response) => response.writeHead(410).end()],
  ]

  test.each(refusals)('(%s) is opened again, and the call made once more', async (_how, refuse) => {
    let isLost = false
    const { url, asked } = await serve(({ body }, response) => {
      if (body.method === 'initialize') isLost = false
      return isLost && body.method !== undefined && (refuse(response), true)
    })
    const fleet = start(url)
    await names(fleet)
    isLost = true
    expect(await call(fleet)).toEqual(done)
    expect(asked.filter(({ body }) => body.method === 'initialize')).toHaveLength(2)
  })

  test.each(refusals.slice(1))('is not what a refused call means (%s) while the session answers', async (_how, refuse) => {
    const { url, asked } = await serve(({ body }, response) => body.method === 'tools/call' && (refuse(response), true))
    await expect(call(start(url))).rejects.toMatchObject({ why: expect.stringContaining('it refused the request') })
    expect(calls(asked)).toBe(1)
  })
})

describe('a stream that is closed before the answer', () => {
  const stream = (response: ServerResponse, text: string): void =>
    void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(text)

  test('is asked for from where it was, as often as it moves on', async () => {
    let id: JsonValue = null
    let rounds = 0
    const { url, asked } = await serve((each, response) => {
      if (each.body.method === 'tools/call') {
        id = each.body.id ?? null
        stream(response, 'id: e0\nretry: 1\ndata:\n\n')
        return true
      }
      if (each.headers['last-event-id'] === undefined) return false
      rounds += 1
      const next = rounds < 3 ? '' : JSON.stringify({ jsonrpc: '2.0', id, result: done })
      stream(response, `id: e${rounds}\ndata: ${next}\n\n`)
      return true
    })
    expect(await call(start(url))).toEqual(done)
    expect(asked.flatMap(({ headers }) => headers['last-event-id'] ?? [])).toEqual(['e0', 'e1', 'e2'])
    expect(calls(asked)).toBe(1)
  })

  test.each([
    ['has no place to go on from', 'retry: 1\ndata:\n\n', 'it closed the stream before it answered'],
    ['the server does not go on with', 'id: e\nretry: 1\ndata:\n\n', 'does not go on with it (HTTP 405)'],
  ])('and %s ends the call with the reason', async (_how, events, why) => {
    const { url, asked } = await serve((each, response) => each.body.method === 'tools/call' && (stream(response, events), true))
    await expect(call(start(url))).rejects.toMatchObject({ why: expect.stringContaining(why) })
    expect(calls(asked)).toBe(1)
  })
})

describe('a result', () => {
  test('that is as it should be stays the same object', () => {
    const result: JsonObject = { content: [{ type: 'novel', x: [null] }], isError: false, structuredContent: [1], novel: null }
    expect(shapedResult(result)).toBe(result)
  })

  test.each<readonly [JsonObject, JsonObject]>([
    [{}, { content: [] }],
    [
      { content: null, structuredContent: { a: 1 } },
      { content: [{ type: 'text', text: '{"a":1}' }], structuredContent: { a: 1 } },
    ],
    [{ content: 'words', structuredContent: null }, { content: [{ type: 'text', text: 'words' }] }],
    [{ content: { type: 'text', text: 'one' } }, { content: [{ type: 'text', text: 'one' }] }],
    [
      { content: ['a', null, { text: 'b' }, { type: 'text', text: 'c', annotations: null }, { type: 'text', text: null }] },
      { content: ['a', 'b', 'c', ''].map((text) => ({ type: 'text', text })) },
    ],
    [{ content: [{ odd: 1 }] }, { content: [{ type: 'text', text: '{"odd":1}' }] }],
    [
      { content: [], isError: 'true', _meta: null },
      { content: [], isError: true },
    ],
    [
      { content: [], isError: 'false' },
      { content: [], isError: false },
    ],
    [{ content: [], isError: null }, { content: [] }],
    [
      { content: [], isError: {} },
      { content: [], isError: true },
    ],
  ])('like %j is read as %j', (result, shaped) => {
    expect(shapedResult(result)).toEqual(shaped)
  })

  test('without an id, or with its id in text, is the answer to what was asked', async () => {
    for (const id of [null, 'text']) {
      const { url } = await serve(({ body }, response) => {
        if (body.method !== 'tools/call') return false
        json(response, { id: id === null ? null : String(body.id), result: done })
        return true
      })
      expect(await call(start(url))).toEqual(done)
    }
  })
})
