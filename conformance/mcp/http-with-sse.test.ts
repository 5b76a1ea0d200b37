/** The transport of 2024-11-05 with the client that speaks it: every kind of message on one stream, and whose stream it is. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { ElicitRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { until } from '../harness/until.ts'
import { ada, bob } from './mixed-fleet.ts'
import { textOf } from './official-client.ts'
import { startSwitched, type SwitchedServer } from './switched-server.ts'
import { installed, serversReady } from './upstream-servers.ts'

let gateway: RunningGateway
let late: SwitchedServer
beforeAll(async () => {
  late = await startSwitched(['echo'], 'silent')
  gateway = await startGateway({
    config: {
      principals: { ada: {}, bob: {} },
      keys: { ada: { principal: 'ada', secret: ada }, bob: { principal: 'bob', secret: bob } },
      grants: [{ principals: ['*'], gateways: ['*'], tools: ['*'] }],
      servers: {
        every: { transport: 'stdio', command: ['node', installed('@modelcontextprotocol/server-everything/dist/index.js')] },
        late: { transport: 'http', url: late.url },
      },
      gateways: { main: { servers: ['every', 'late'], sse: true }, off: { servers: ['every'] } },
      contracts: { '*': { output: { trust: 'trusted' } } },
      // Two processes: a message may come to the one that does not have the stream.
      workers: 2,
    },
  })
  await until('the server', async () => ((await readyServers()).includes('every') ? true : undefined))
})
afterAll(async () => {
  await gateway?.stop()
  await late?.[Symbol.asyncDispose]()
})

async function readyServers(): Promise<readonly unknown[]> {
  const health = (await (await fetch(`${gateway.url}/readyz`)).json()) as { servers: { server: string; state: string }[] }
  return health.servers.filter(({ state }) => state === 'ready').map(({ server }) => server)
}

async function connect(key = ada, prepare: (client: Client) => void = () => {}): Promise<Client> {
  const client = new Client({ name: 'older', version: '1.0.0' }, { capabilities: { elicitation: {} } })
  prepare(client)
  const headers = { authorization: `Bearer ${key}` }
  await client.connect(new SSEClientTransport(new URL(`${gateway.url}/mcp/main/sse`), { requestInit: { headers } }))
  return client
}

test('lists, calls, reads, gets and is told of progress on one stream', async () => {
  const client = await connect()
  expect((await client.listTools()).tools.map(({ name }) => name)).toContain('every__echo')
  const told = async (): Promise<number[]> => {
    const seen: number[] = []
    await client.callTool({ name: 'every__trigger-long-running-operation', arguments: { duration: 0.3, steps: 3 } }, undefined, {
      onprogress: ({ progress }) => seen.push(progress),
    })
    return seen
  }
  // This client loses what comes together with the result: the last of it, and on a busy machine all of it.
  const progress = until('progress', async () => told().then((some) => (some.length > 0 ? some : undefined)))
  const echoes = await Promise.all([1, 2, 3].map((n) => client.callTool({ name: 'every__echo', arguments: { message: `m${n}` } })))
  expect(echoes.map((result) => textOf(result as { content: unknown[] }))).toEqual(['Echo: m1', 'Echo: m2', 'Echo: m3'])
  const seen = await progress
  expect([1, 2, 3].slice(0, seen.length)).toEqual(seen)
  const { resources } = await client.listResources()
  expect((await client.readResource({ uri: resources[0]?.uri ?? '' })).contents).toHaveLength(1)
  expect((await client.getPrompt({ name: 'every__simple-prompt' })).messages).toHaveLength(1)
  await expect(client.callTool({ name: 'every__nothing', arguments: {} })).rejects.toMatchObject({ code: -32602 })
  await client.close()
})

test('is asked by a server, and told that a list has changed', async () => {
  let changes = 0
  const client = await connect(ada, (one) => {
    one.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'accept' as const, content: { name: 'Ada', check: true } }))
    one.setNotificationHandler(ToolListChangedNotificationSchema, () => void (changes += 1))
  })
  const answered = await client.callTool({ name: 'every__trigger-elicitation-request', arguments: {} })
  expect(textOf(answered as { content: unknown[] })).toContain('Ada')
  late.become('up')
  await serversReady(gateway.url)
  await expect.poll(() => changes).toBeGreaterThan(0)
  await client.close()
})

/** A stream as a client that reads it itself would have it: where it is to post. */
async function openRaw(path: string, key: string): Promise<{ readonly status: number; readonly address: string; close(): void }> {
  const stop = new AbortController()
  const url = new URL(`${gateway.url}${path}`)
  const response = await fetch(url, { headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream' }, signal: stop.signal })
  let text = ''
  const reader = response.body?.getReader()
  while (response.ok && !text.includes('\n\n')) text += Buffer.from((await reader?.read())?.value ?? []).toString()
  return { status: response.status, address: new URL(/^data: (.+)$/m.exec(text)?.[1] ?? '', url).href, close: () => stop.abort() }
}

async function postTo(address: string, key: string, body: unknown, type = 'application/json'): Promise<number> {
  const response = await fetch(address, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': type },
    body: JSON.stringify(body),
  })
  await response.text()
  return response.status
}

test('nobody posts to the stream of another, and nothing is there where it is not switched on', async () => {
  const { address, close } = await openRaw('/mcp/main/sse', ada)
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
  expect(await postTo(address, ada, ping)).toBe(202)
  expect(await postTo(address, bob, ping)).toBe(404)
  expect(await postTo(address.replace(/session_id=.+/, 'session_id=guessed'), ada, ping)).toBe(404)
  expect(await postTo(address, 'tw_conformance_nobody_00000000000', ping)).toBe(401)
  expect(await postTo(address, ada, ping, 'text/plain')).toBe(415)
  expect(await postTo(address.replace('/main/', '/off/'), ada, ping)).toBe(404)
  expect((await openRaw('/mcp/off/sse', ada)).status).toBe(404)
  expect((await openRaw('/mcp/nothing/sse', ada)).status).toBe(404)
  close()
})

test('what is posted to a stream that has ended is refused, so that nobody waits for an answer', async () => {
  const { address, close } = await openRaw('/mcp/main/sse', ada)
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
  // Each post has a connection of its own: it comes to either process.
  const posts = (): Promise<number[]> => Promise.all(Array.from({ length: 8 }, () => postTo(address, ada, ping)))
  expect(new Set(await posts())).toEqual(new Set([202]))
  close()
  await expect.poll(async () => new Set(await posts())).toEqual(new Set([404]))
})
