/** The wire to one HTTP server, against real sockets: how answers arrive, end, break off and are given up. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { TurnwardError } from '../../core/error.ts'
import type { RpcMessage, RpcResponse } from '../codec/json-rpc.ts'
import { listenOn } from '../running-parts.fixture.ts'
import { HttpWire } from './http-wire.ts'

let handle: (req: IncomingMessage, res: ServerResponse) => void
const server: Server = createServer((req, res) => {
  req.resume().once('end', () => handle(req, res))
})
let connections = 0
let port = 0
let wire: HttpWire

beforeAll(async () => {
  server.on('connection', () => (connections += 1))
  port = await listenOn(server)
})
afterEach(async () => {
  await wire.close()
  connections = 0
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

function open(
  more: {
    readonly connections?: number
    readonly maxResponseBytes?: number
    readonly maxEventBytes?: number
    readonly headers?: Record<string, string>
    readonly port?: number
  } = {},
): void {
  const limits = { maxResponseBytes: more.maxResponseBytes ?? 1024 * 1024, maxEventBytes: more.maxEventBytes ?? 64 * 1024 }
  // Four more are for long streams; with -3 there is one.
  wire = new HttpWire({
    server: 's',
    url: `http://127.0.0.1:${more.port ?? port}/mcp`,
    headers: more.headers ?? {},
    connections: more.connections ?? 1,
    limits,
  })
}

const never = new AbortController().signal
const result = (id: number, text = 'x'): string => JSON.stringify({ jsonrpc: '2.0', id, result: { text } })
const event = (data: string): string => `event: message\ndata: ${data}\n\n`

function json(res: ServerResponse): ServerResponse {
  return res.writeHead(200, { 'content-type': 'application/json; charset=utf-8' })
}

function stream(res: ServerResponse): ServerResponse {
  return res.writeHead(200, { 'content-type': 'text/event-stream' })
}

async function ask(signal = never, aside: RpcMessage[] = []): Promise<RpcResponse> {
  return wire.readResponse(await wire.post('{}', {}, signal), 1, (message) => void aside.push(message))
}

/** Sends what is left one byte at a time, each on its own. */
function trickle(res: ServerResponse, text: Buffer): void {
  if (text.length === 0) res.end()
  else res.write(text.subarray(0, 1), () => setImmediate(trickle, res, text.subarray(1)))
}

describe('an answer', () => {
  test.each<readonly [string, (res: ServerResponse) => void]>([
    ['JSON at once', (res) => json(res).end(result(1, '✓'))],
    ['JSON byte by byte', (res) => trickle(json(res), Buffer.from(result(1, '✓')))],
    ['an event', (res) => stream(res).end(event(result(1, '✓')))],
    [
      'an event byte by byte',
      (res) => trickle(stream(res), Buffer.from(`: hello\nid: 1\ndata:\n\n${event(result(2))}${event(result(1, '✓'))}`)),
    ],
    ['an id in text', (res) => json(res).end(result(1, '✓').replace('"id":1', '"id":"1"'))],
    ['a message after a blank one', (res) => stream(res).end(`data: \n\n${event(result(1, '✓'))}`)],
    ['a batch', (res) => json(res).end(`[${result(2)},${result(1, '✓')},${result(1, 'again')}]`)],
  ])('arrives as %s', async (_how, answer) => {
    open()
    handle = (_req, res) => answer(res)
    expect(await ask()).toMatchObject({ kind: 'result', result: { text: '✓' } })
  })

  test('leaves messages that are something else to whoever wants them', async () => {
    open()
    handle = (_req, res) =>
      stream(res).end(event('{"jsonrpc":"2.0","method":"a"}') + event(result(2)) + event(result(1)) + event(result(3)))
    const aside: RpcMessage[] = []
    await ask(never, aside)
    expect(aside).toEqual([
      { kind: 'notification', method: 'a', params: {} },
      { kind: 'result', id: 2, result: { text: 'x' } },
    ])
  })

  test.each<readonly [string, string, (res: ServerResponse) => void]>([
    ['is not JSON', 'its answer is not JSON', (res) => json(res).end('<html>')],
    ['is empty', 'its answer is not JSON', (res) => json(res).end()],
    ['has an event that is not JSON', 'its answer is not JSON', (res) => void stream(res).write(event('nonsense'))],
    [
      'names its type twice, another one first',
      'it answered with HTTP 200 and neither JSON nor an event stream',
      (res) => void res.setHeader('content-type', ['text/html', 'application/json']).write('<html>'),
    ],
    [
      'is of another type',
      'it answered with HTTP 200 and neither JSON nor an event stream',
      (res) => void res.writeHead(200, { 'content-type': 'text/html' }).write('<html>'),
    ],
    ['ends without a response', 'it closed the stream before it answered', (res) => stream(res).end(': nothing\n\n')],
    ['answers something else', 'it answered with an id that was not asked', (res) => stream(res).end(event(result(2)))],
    [
      'has a result that is none',
      'its answer is malformed: `result` must be an object',
      (res) => json(res).end('{"jsonrpc":"2.0","id":1,"result":[]}'),
    ],
    ['breaks off', 'the connection was closed', (res) => json(res).write('{', () => res.destroy())],
    ['never begins', 'the connection was closed', (res) => res.destroy()],
  ])('that %s makes the server unavailable, and holds no connection', async (_what, why, answer) => {
    open({ maxResponseBytes: 1000, maxEventBytes: 1000 })
    const closed = Promise.withResolvers<void>()
    handle = (_req, res) => {
      res.once('close', closed.resolve)
      answer(res)
    }
    await expect(ask()).rejects.toMatchObject({ code: 'mcp.server_unavailable', subject: 's', why })
    await closed.promise
  })

  test.each<readonly [string, (res: ServerResponse) => void]>([
    ['is larger than allowed', (res) => void json(res).write(' '.repeat(2000))],
    ['has an event larger than allowed', (res) => void stream(res).write(`data: ${'x'.repeat(2000)}`)],
  ])('that %s fails the request, and holds no connection', async (_what, answer) => {
    open({ maxResponseBytes: 1000, maxEventBytes: 1000 })
    const closed = Promise.withResolvers<void>()
    handle = (_req, res) => {
      res.once('close', closed.resolve)
      answer(res)
    }
    const why = 'it has more than 1000 bytes, and 1000 are allowed'
    await expect(ask()).rejects.toMatchObject({ code: 'mcp.result_too_large', subject: 's', why })
    await closed.promise
  })

  test('that nobody reads yet waits, whatever its size', async () => {
    open({ maxResponseBytes: 64 * 1024 * 1024 })
    const text = 'x'.repeat(32 * 1024 * 1024)
    handle = (_req, res) => json(res).end(result(1, text))
    const large = await wire.post('{}', {}, never)
    handle = (_req, res) => json(res).end(result(1))
    await ask()
    const response = await wire.readResponse(large, 1, () => {})
    expect(response.kind === 'result' && response.result.text === text).toBe(true)
  })

  test('that broke off before it was read says so when it is read', async () => {
    open()
    handle = (_req, res) => json(res).write('{', () => res.destroy())
    const answer = await wire.post('{}', {}, never)
    handle = (_req, res) => json(res).end(result(1))
    await ask()
    await expect(wire.readResponse(answer, 1, () => {})).rejects.toMatchObject({ why: 'the connection was closed' })
  })
})

describe('a connection', () => {
  test('is used again after an event stream that ends', async () => {
    open({ connections: -3 })
    handle = (_req, res) => stream(res).write(event(result(1)), () => setImmediate(() => res.end()))
    for (let call = 0; call < 5; call += 1) await ask()
    expect(connections).toBe(1)
  })

  test('is given up when the server has answered and does not end its stream', async () => {
    open({ connections: -3 })
    const closed = Promise.withResolvers<void>()
    handle = (_req, res) => {
      res.once('close', closed.resolve)
      stream(res).write(event(result(1)))
    }
    await ask()
    await closed.promise
    handle = (_req, res) => json(res).end(result(1))
    await ask()
    expect(connections).toBe(2)
  })

  test('is given up when the rest of an answer is dropped', async () => {
    open({ connections: -3 })
    const closed = Promise.withResolvers<void>()
    handle = (_req, res) => {
      res.once('close', closed.resolve)
      res.writeHead(500).write('x')
    }
    ;(await wire.post('{}', {}, never)).discard()
    await closed.promise
  })

  test('is used again after an answer without a body is dropped', async () => {
    open({ connections: -3 })
    handle = (_req, res) => res.writeHead(202).end()
    for (let call = 0; call < 3; call += 1) (await wire.post('{}', {}, never)).discard()
    expect(connections).toBe(1)
  })
})

describe('an aborted signal', () => {
  const late = new TurnwardError('mcp.server_timeout')

  test('before the request sends nothing', async () => {
    open()
    await expect(ask(AbortSignal.abort(late))).rejects.toBe(late)
    expect(connections).toBe(0)
  })

  test.each<readonly [string, (res: ServerResponse) => void]>([
    ['before the head', () => {}],
    ['inside JSON', (res) => void json(res).write('{')],
    ['inside an event stream', (res) => void stream(res).write(event(result(2)))],
  ])('%s ends the exchange on both sides', async (_when, answer) => {
    open()
    const stop = new AbortController()
    const begun = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<void>()
    handle = (_req, res) => {
      res.once('close', closed.resolve)
      answer(res)
      begun.resolve()
    }
    const asked = expect(ask(stop.signal)).rejects.toBe(late)
    await begun.promise
    stop.abort(late)
    await asked
    await closed.promise
  })

  test('while the request waits for a connection keeps it from being sent', async () => {
    open({ connections: -3 })
    const first = Promise.withResolvers<ServerResponse>()
    let requests = 0
    handle = (_req, res) => {
      requests += 1
      first.resolve(res)
    }
    const busy = ask()
    const res = await first.promise
    const stop = new AbortController()
    const waiting = expect(ask(stop.signal)).rejects.toMatchObject({ code: 'request.cancelled' })
    stop.abort()
    json(res).end(result(1))
    await busy
    await waiting
    expect(requests).toBe(1)
  })

  test('after the answer changes nothing', async () => {
    open({ connections: -3 })
    const stop = new AbortController()
    handle = (_req, res) => stream(res).end(event(result(1)))
    const response = await ask(stop.signal)
    stop.abort(late)
    expect(response.kind).toBe('result')
    expect((await ask()).kind).toBe('result')
    expect(connections).toBe(1)
  })
})

test('headers of the protocol win over configured ones, whatever their case', async () => {
  open({ headers: { Accept: 'text/html', 'MCP-Method': 'mine', 'X-Fixed': 'yes' } })
  const seen: IncomingMessage['headers'][] = []
  handle = (req, res) => {
    seen.push(req.headers)
    json(res).end(result(1))
  }
  ;(await wire.post('{}', { 'mcp-method': 'tools/call' }, never)).discard()
  ;(await wire.ofSession('GET', {}, never)).discard()
  ;(await wire.ofSession('DELETE', {}, never)).discard()
  expect(seen[0]).toMatchObject({
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    'mcp-method': 'tools/call',
    'x-fixed': 'yes',
  })
  expect(seen[1]).toMatchObject({ accept: 'text/event-stream', 'mcp-method': 'mine', 'x-fixed': 'yes' })
  expect(seen[2]).toMatchObject({ 'x-fixed': 'yes' })
  expect(seen.slice(1).map((headers) => headers['content-type'])).toEqual([undefined, undefined])
})

test('a server that is not there, and a header that cannot be sent, are explained', async () => {
  open({ port: 1 })
  await expect(ask()).rejects.toMatchObject({ code: 'mcp.server_unavailable', why: 'the connection was refused' })
  await wire.close()
  open()
  await expect(wire.post('{}', { 'mcp-session-id': 'a\nb' }, never)).rejects.toMatchObject({
    why: 'the connection failed with HTTP_INVALID_REQUEST',
  })
})

test('closing ends what is under way', async () => {
  open()
  const begun = Promise.withResolvers<void>()
  handle = (_req, res) => {
    stream(res).write(': here\n\n')
    begun.resolve()
  }
  const asked = expect(ask()).rejects.toMatchObject({ code: 'mcp.server_unavailable' })
  await begun.promise
  await wire.close()
  await asked
  await expect(ask()).rejects.toMatchObject({ code: 'mcp.server_unavailable' })
})
