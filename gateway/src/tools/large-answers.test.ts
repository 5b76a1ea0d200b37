/** Answers that are larger than may be: each costs the request it answers, and neither its server nor anybody else's request. */
import { createServer } from 'node:http'
import { afterEach, describe, expect, test } from 'vitest'
import type { JsonObject } from '../core/json.ts'
import { largeBody } from './large/large-result.ts'
import { listenOn, startFleet, type TestFleet } from './running-parts.fixture.ts'

const closing: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/**
 * `t` answers with so many bytes as it is told, `w` when the next `go` comes, `n` with so many bytes of a notification before.
 * How a result is written is `form`: `first` has the id before it, as most do, `last` after it, as the official SDK for TypeScript.
 */
const script = `
  const write = (text) => process.stdout.write(text + '\\n')
  const tools = ['t', 'w', 'go', 'n', 'bad'].map((name) => ({ name, inputSchema: { type: 'object' } }))
  let waiting
  require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, method, params } = JSON.parse(line)
    const result = (text) => JSON.stringify({ content: [{ type: 'text', text }] })
    const first = (text) => write('{"jsonrpc":"2.0","id":' + id + ',"result":' + text + '}')
    const last = (text) => write('{"result":' + text + ',"jsonrpc":"2.0","id":' + id + '}')
    if (method === 'initialize') first(JSON.stringify({ protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } }))
    if (method === 'tools/list') first(JSON.stringify({ tools }))
    if (method !== 'tools/call') return
    const { name, arguments: args } = params
    const long = 'x'.repeat(args.bytes ?? 0)
    if (name === 't') (args.form === 'last' ? last : first)(result(long))
    if (name === 'w') waiting = first
    if (name === 'go') { waiting(result('went')); first(result('gone')) }
    if (name === 'n') { write('{"jsonrpc":"2.0","method":"notifications/x","params":{"x":"' + long + '"}}'); first(result('told')) }
    if (name === 'bad') { write(long); first(result('after')) }
  })`

const gateways = { g: { servers: ['s'] } }

function start(server: JsonObject, limits: JsonObject = {}): TestFleet {
  const fleet = startFleet({ servers: { s: server }, gateways, limits })
  closing.push(() => fleet.fleet.close())
  return fleet
}

const stdio = (more: JsonObject = {}, limits?: JsonObject): TestFleet =>
  start({ transport: 'stdio', command: ['node', '-e', script], era: 'legacy', ...more }, limits)

async function call(fleet: TestFleet, name: string, args: JsonObject = {}): Promise<JsonObject> {
  const found = (await fleet.catalogue('g')).resolve(`s__${name}`)
  if (found === undefined) throw new Error(`no ${name}: ${JSON.stringify(fleet.fleet.status())}`)
  return fleet.call(found, args, { signal: new AbortController().signal, onProgress: undefined, meta: undefined })
}

const text = (value: string): JsonObject => ({ content: [{ type: 'text', text: value }] })

describe('a stdio server', () => {
  // Between what a result may have and what is kept of a line; and beyond what is kept.
  const sizes = [200_000, 2_000_000]

  test.each(sizes.flatMap((bytes) => ['first', 'last'].map((form) => [bytes, form] as const)))(
    'with a result of %i bytes (its id comes %s) fails that call, and goes on',
    async (bytes, form) => {
      const fleet = stdio({ max_result_bytes: 100_000 }, { max_response_bytes: 1_000_000 })
      const waiting = call(fleet, 'w')
      await expect(call(fleet, 't', { bytes, form })).rejects.toMatchObject({
        code: 'mcp.result_too_large',
        why: expect.stringMatching(/100000 are allowed/),
        fix: expect.stringContaining('max_result_bytes'),
      })
      expect(await call(fleet, 'go')).toEqual(text('gone'))
      expect(await waiting).toEqual(text('went'))
      expect(await call(fleet, 't', { bytes: 50_000, form })).toEqual(text('x'.repeat(50_000)))
      expect(fleet.fleet.status()[0]).toMatchObject({ state: 'ready' })
    },
  )

  test('that tells something too long, or writes what is no message, loses what it wrote and no request', async () => {
    const fleet = stdio({}, { max_response_bytes: 4_000_000 })
    const waiting = call(fleet, 'w')
    for (const bytes of [3_000_000, 5_000_000]) {
      expect(await call(fleet, 'n', { bytes })).toEqual(text('told'))
      expect(await call(fleet, 'bad', { bytes })).toEqual(text('after'))
    }
    await call(fleet, 'go')
    expect(await waiting).toEqual(text('went'))
  })

  test('has a bound for each tool, the most specific pattern first', async () => {
    const fleet = stdio({ max_result_bytes: 1024, max_result_bytes_of: { '*': 5000, t: 200_000 } })
    expect(await call(fleet, 't', { bytes: 100_000 })).toEqual(text('x'.repeat(100_000)))
    await expect(call(fleet, 't', { bytes: 300_000 })).rejects.toMatchObject({ code: 'mcp.result_too_large' })
  })
})

describe('a large result within its bound', () => {
  test.each(['first', 'last'])('of a stdio server (its id comes %s) is read elsewhere', async (form) => {
    const result = await call(stdio(), 't', { bytes: 600_000, form })
    expect(largeBody(result)?.fields).toEqual(new Map([['content', 'other']]))
    expect(result).toEqual(text('x'.repeat(600_000)))
  })
})

describe('a server over HTTP', () => {
  async function http(type: 'application/json' | 'text/event-stream', announces: boolean, most = 100_000): Promise<TestFleet> {
    const server = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += String(chunk)
      if (request.method !== 'POST') return response.writeHead(405).end()
      const { id, method, params } = JSON.parse(body) as { id?: number; method: string; params: { arguments?: { bytes: number } } }
      if (id === undefined) return response.writeHead(202).end()
      const results: Record<string, JsonObject> = {
        initialize: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } },
        'tools/list': { tools: [{ name: 't', inputSchema: { type: 'object' } }] },
        'tools/call': text('x'.repeat(params.arguments?.bytes ?? 0)),
      }
      const message = JSON.stringify({ jsonrpc: '2.0', id, result: results[method] ?? {} })
      const sent = type === 'application/json' ? message : `data: ${message}\n\n`
      return response.writeHead(200, { 'content-type': type, ...(announces ? { 'content-length': sent.length } : {}) }).end(sent)
    })
    const port = await listenOn(server)
    closing.push(() => (server.closeAllConnections(), void server.close()))
    return start({ transport: 'http', url: `http://127.0.0.1:${port}/mcp`, era: 'legacy', max_result_bytes: most })
  }

  test.each([
    ['application/json', true, /^it has 2000\d\d bytes/],
    ['application/json', false, /more than 100000 bytes/],
    ['text/event-stream', false, /more than 100000 bytes/],
  ] as const)('that answers with a result too large (%s, announced: %s) fails that call, and goes on', async (type, announces, why) => {
    const fleet = await http(type, announces)
    const [large, small] = await Promise.allSettled([call(fleet, 't', { bytes: 200_000 }), call(fleet, 't', { bytes: 50_000 })])
    expect(large).toMatchObject({ reason: { code: 'mcp.result_too_large', why: expect.stringMatching(why) } })
    expect(small).toEqual({ status: 'fulfilled', value: text('x'.repeat(50_000)) })
    expect(fleet.fleet.status()[0]).toMatchObject({ state: 'ready' })
  })

  test.each(['application/json', 'text/event-stream'] as const)('has its large results read elsewhere (%s)', async (type) => {
    const fleet = await http(type, false, 10_000_000)
    const results = await Promise.all([1, 2, 3].map((times) => call(fleet, 't', { bytes: times * 600_000 })))
    expect(results.map((result) => largeBody(result)?.fields.size)).toEqual([1, 1, 1])
    expect(results).toEqual([1, 2, 3].map((times) => text('x'.repeat(times * 600_000))))
  })
})
