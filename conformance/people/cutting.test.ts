/** Whoever is shut out is cut off: what streams at any process of a gateway ends with the reason, and nothing begins again. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { followStream, streamedChat, type FollowedStream } from '../harness/followed-stream.ts'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { governedConfig, secretEnv, secrets } from '../harness/governed-config.ts'
import { startRealtimeVendor, type RealtimeVendor } from '../harness/realtime-vendor.ts'
import { until } from '../harness/until.ts'
import { startVendor, type Vendor } from '../harness/vendor.ts'

let vendor: Vendor
let speech: RealtimeVendor
let waiting: WaitingServer
let gateway: RunningGateway

beforeAll(async () => {
  const chunk = `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content: 'hm' } }] })}\n\n`
  vendor = await startVendor(() => ({ headers: { 'content-type': 'text/event-stream' }, parts: [chunk], ends: 'never' }))
  speech = await startRealtimeVendor()
  waiting = await startWaitingServer()
  const usual = governedConfig({ openai: vendor.url, anthropic: vendor.url })
  gateway = await startGateway({
    env: secretEnv,
    config: {
      ...usual,
      workers: 2,
      // What goes on to the end of the test is not waited for.
      limits: { drain_ms: 200 },
      upstreams: { ...(usual.upstreams as object), speech: { kind: 'openai', base_url: speech.url, credential: 'openai-team' } },
      routes: [
        { model: 'gpt-test', upstreams: ['openai'] },
        { model: 'gpt-realtime', upstreams: ['speech'] },
      ],
      grants: [{ principals: ['*'], models: ['*'], tools: ['*'], gateways: ['*'] }],
      // Whatever it has said before, it may be called again.
      contracts: { 'waiting__*': {} },
      servers: { waiting: { transport: 'http', url: waiting.url } },
      gateways: { main: { servers: ['waiting'], sse: true } },
    },
  })
})
afterAll(async () => {
  await gateway?.stop()
  waiting?.server.closeAllConnections()
  waiting?.server.close()
  await vendor?.close()
  await speech?.[Symbol.asyncDispose]()
})

interface WaitingServer {
  readonly server: Server
  readonly url: string
  /** Calls that are under way. */
  readonly running: Set<ServerResponse>
}

/** An MCP server whose one tool never ends. */
async function startWaitingServer(): Promise<WaitingServer> {
  const running = new Set<ServerResponse>()
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = ''
    for await (const bytes of request) text += String(bytes)
    if (request.method !== 'POST') return void response.writeHead(405).end()
    const { id, method } = JSON.parse(text) as { id?: number; method: string }
    if (id === undefined) return void response.writeHead(202).end()
    if (method === 'tools/call') {
      running.add(response)
      response.once('close', () => running.delete(response))
      return
    }
    const results: Record<string, object> = {
      initialize: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'waiting', version: '1' } },
      'tools/list': { tools: [{ name: 'wait', inputSchema: { type: 'object' } }] },
    }
    const result = results[method]
    const body = result === undefined ? { error: { code: -32601, message: 'no' } } : { result }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...body }))
  }
  const server = createServer((request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, running }
}

const follow = (path: string, init: RequestInit, key: string): Promise<FollowedStream> => followStream(`${gateway.url}${path}`, init, key)

const chat = (key: string): Promise<FollowedStream> => follow('/v1/chat/completions', streamedChat('gpt-test'), key)

const versions = { 'mcp-protocol-version': '2026-07-28', accept: 'application/json, text/event-stream' }
const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}
const modern = (method: string, params: object, key: string, more: Record<string, string> = {}): Promise<FollowedStream> =>
  follow(
    '/mcp/main',
    {
      method: 'POST',
      headers: { ...versions, 'mcp-method': method, ...more },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
    },
    key,
  )

/** A session of the legacy era: its standing stream, and a call that runs. */
async function legacy(key: string): Promise<{ readonly standing: FollowedStream; readonly call: Promise<string> }> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const post = (body: object, session: Record<string, string> = {}): Promise<Response> =>
    fetch(`${gateway.url}/mcp/main`, {
      method: 'POST',
      headers: { ...headers, ...session },
      body: JSON.stringify({ jsonrpc: '2.0', ...body }),
    })
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  const opened = await post({ id: 1, method: 'initialize', params })
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '', 'mcp-protocol-version': '2025-11-25' }
  await opened.text()
  const call = post({ id: 2, method: 'tools/call', params: { name: 'waiting__wait', arguments: {} } }, session).then((answer) =>
    answer.text(),
  )
  const standing = await follow('/mcp/main', { headers: { ...session, accept: 'text/event-stream' } }, key)
  return { standing, call }
}

async function talk(key: string): Promise<{ readonly messages: string[]; readonly closed: Promise<number> }> {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/realtime?model=gpt-realtime`, {
    headers: { authorization: `Bearer ${key}` },
  })
  const messages: string[] = []
  socket.on('message', (data) => messages.push(String(data)))
  const closed = new Promise<number>((resolve) => socket.once('close', resolve))
  await once(socket, 'open')
  return { messages, closed }
}

const ask = async (key: string): Promise<number> =>
  (await fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status

test('a person who is disabled: streams of both floors end with the reason at every process, and theirs alone', async () => {
  const { alice, bob } = secrets
  // Connections go to either of the two processes.
  const chats = await Promise.all(Array.from({ length: 6 }, () => chat(alice)))
  const others = await Promise.all([chat(bob), modern('subscriptions/listen', { notifications: { toolsListChanged: true } }, bob)])
  const listening = await modern('subscriptions/listen', { notifications: { toolsListChanged: true } }, alice)
  const sse = await follow('/mcp/main/sse', { headers: { accept: 'text/event-stream' } }, alice)
  const { standing, call } = await legacy(alice)
  const socket = await talk(alice)
  await until('the chats to stream', () => (chats.every(({ text }) => text.includes('hm')) ? true : undefined))
  await until('the tool to run', () => (waiting.running.size === 1 ? true : undefined))

  const disabled = await gateway.cli(['people', 'disable', 'alice'])
  expect([disabled.code, disabled.stderr]).toEqual([0, ''])

  await until('every chat to end', () => (chats.every(({ hasEnded }) => hasEnded) ? true : undefined))
  for (const { text } of chats) expect(text).toContain('"code":"auth.disabled"')
  await until('every stream of MCP to end', () => ([listening, sse, standing].every(({ hasEnded }) => hasEnded) ? true : undefined))
  expect(listening.text).toContain('auth.disabled')
  expect(await call).toContain('auth.disabled')
  expect(await socket.closed).toBe(1008)
  expect(socket.messages.join()).toContain('auth.disabled')
  // What was asked on her behalf is given up.
  await until('the tool to be told', () => (waiting.running.size === 0 ? true : undefined))
  expect(others.map(({ hasEnded }) => hasEnded)).toEqual([false, false])
  expect([await ask(alice), await ask(bob)]).toEqual([403, 200])

  expect((await gateway.cli(['people', 'enable', 'alice'])).code).toBe(0)
  await until('Alice to be let in', async () => ((await ask(alice)) === 200 ? true : undefined))
})

test('a key that is revoked: what came with it ends, and what came with another key of the same person goes on', async () => {
  const made = await gateway.cli(['keys', 'create', '--principal', 'alice', '--json'])
  const { id, key } = JSON.parse(made.stdout) as { id: string; key: string }
  const [cut, goesOn] = await Promise.all([chat(key), chat(secrets.alice)])
  await until('both to stream', () => (cut.text.includes('hm') && goesOn.text.includes('hm') ? true : undefined))
  expect((await gateway.cli(['keys', 'revoke', id])).code).toBe(0)
  await until('the stream to end', () => (cut.hasEnded ? true : undefined))
  expect(cut.text).toContain('"code":"auth.revoked_key"')
  expect(goesOn.hasEnded).toBe(false)
  expect(await ask(key)).toBe(401)
})

test('a tool that is stopped: calls of it end at every process and are refused, what else streams goes on; then a person, until it is lifted', async () => {
  const { alice, bob } = secrets
  const goesOn = await chat(bob)
  const { call } = await legacy(alice)
  await until('the tool to run', () => (waiting.running.size === 1 ? true : undefined))
  const stopped = await gateway.cli(['stop', 'tool', 'waiting__*', '--reason', 'it never ends', '--for', '1h', '--by', 'ops', '--json'])
  expect([stopped.code, stopped.stderr]).toEqual([0, ''])
  expect(await call).toContain('stop.stopped')
  await until('the tool to be told', () => (waiting.running.size === 0 ? true : undefined))
  const { call: next } = await legacy(alice)
  expect(await next).toContain('An administrator has stopped this tool.')
  expect(goesOn.hasEnded).toBe(false)
  expect(await gateway.recordThat(({ kind }) => kind === 'stop')).toMatchObject({
    principal: 'ops',
    subject: 'tool waiting__*',
    action: 'refuse',
  })

  const person = JSON.parse((await gateway.cli(['stop', 'principal', 'bob', '--json'])).stdout) as { id: string }
  await until('the chat to end', () => (goesOn.hasEnded ? true : undefined))
  expect(goesOn.text).toContain('"code":"stop.stopped"')
  await until('every process to know', async () => ((await ask(bob)) === 403 && (await ask(bob)) === 403 ? true : undefined))
  expect(await ask(alice)).toBe(200)
  const listed = JSON.parse((await gateway.cli(['stop', 'list', '--json'])).stdout) as { stops: { kind: string; reason: string | null }[] }
  expect(listed.stops).toMatchObject([
    { kind: 'tool', reason: 'it never ends' },
    { kind: 'principal', reason: null },
  ])
  for (const { id } of [person, JSON.parse(stopped.stdout) as { id: string }])
    expect((await gateway.cli(['stop', 'lift', id])).code).toBe(0)
  await until('Bob to be let in', async () => ((await ask(bob)) === 200 ? true : undefined))
})
