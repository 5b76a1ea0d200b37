/** The whole room with strangers on both ends: official clients of every mode, official servers of both eras. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import { Client, StreamableHTTPClientTransport, type VersionNegotiationMode } from '@modelcontextprotocol/client'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import {
  installed,
  listenOn,
  openOperations,
  serveEndpoint,
  startFleet,
  type TestEndpoint,
  type TestFleet,
} from './running-parts.fixture.ts'

const everything = installed('@modelcontextprotocol/server-everything/dist/index.js')
const memory = installed('@modelcontextprotocol/server-memory/dist/index.js')

let everythingHttp: ChildProcess
let modernServer: Server
let modernHandler: ReturnType<typeof createMcpHandler>
let fleet: TestFleet
let endpoint: TestEndpoint
let extraTools = false
const modernCalls: { started: number; cancelled: number } = { started: 0, cancelled: 0 }

function modernFactory(): McpServer {
  const server = new McpServer({ name: 'modern', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } })
  server.registerTool('greet', { description: 'Greets', inputSchema: z.object({ name: z.string() }) }, async ({ name }) => ({
    content: [{ type: 'text', text: `hello ${name}` }],
  }))
  server.registerTool('counted', { inputSchema: z.object({}) }, async (_args, context) => {
    for (let progress = 1; progress <= 3; progress += 1)
      await context.mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken: context.mcpReq._meta?.progressToken ?? 0, progress, total: 3 },
      })
    return { content: [{ type: 'text', text: 'counted' }] }
  })
  server.registerTool('forever', { inputSchema: z.object({}) }, async (_args, context) => {
    modernCalls.started += 1
    await new Promise((resolve) => context.mcpReq.signal.addEventListener('abort', resolve))
    modernCalls.cancelled += 1
    return { content: [] }
  })
  if (extraTools) server.registerTool('extra', { inputSchema: z.object({}) }, async () => ({ content: [] }))
  return server
}

beforeAll(async () => {
  modernHandler = createMcpHandler(modernFactory, { legacy: 'reject' })
  const handle = toNodeHandler(modernHandler)
  modernServer = createServer((req, res) => void handle(req as Parameters<typeof handle>[0], res))
  const modernPort = await listenOn(modernServer)
  const everythingPort = await freePort()
  everythingHttp = spawn(process.execPath, [everything, 'streamableHttp'], {
    env: { PATH: '/usr/bin:/bin', PORT: String(everythingPort) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await new Promise<void>((resolve) => everythingHttp.stderr?.on('data', (chunk: Buffer) => chunk.includes('listening') && resolve()))
  const config = {
    servers: {
      every: { transport: 'stdio', command: ['node', everything] },
      memory: { transport: 'stdio', command: ['node', memory], env: { MEMORY_FILE_PATH: '/dev/null' } },
      everyhttp: { transport: 'http', url: `http://127.0.0.1:${everythingPort}/mcp` },
      modern: { transport: 'http', url: `http://127.0.0.1:${modernPort}/mcp` },
    },
    gateways: { all: { servers: ['every', 'memory', 'everyhttp', 'modern'], instructions: 'Use with care.' } },
  }
  fleet = startFleet(config)
  endpoint = await serveEndpoint(openOperations(fleet.fleet), fleet.snapshot, fleet.fleet)
  await fleet.catalogue('all')
})

afterAll(async () => {
  await endpoint.close()
  await fleet.fleet.close()
  await modernHandler.close()
  modernServer.closeAllConnections()
  modernServer.close()
  everythingHttp.kill('SIGKILL')
})

async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listenOn(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function connect(mode: VersionNegotiationMode, token = 'alice'): Promise<Client> {
  const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode } })
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${endpoint.url}all`), { requestInit: { headers: { authorization: `Bearer ${token}` } } }),
  )
  return client
}

const modes: readonly (readonly [string, VersionNegotiationMode])[] = [
  ['auto', 'auto'],
  ['legacy', 'legacy'],
  ['modern', { pin: '2026-07-28' }],
]

describe.each(modes)('an official client in %s mode', (_name, mode) => {
  test('sees the tools of servers of both eras and every transport under one endpoint', async () => {
    const client = await connect(mode)
    const names = (await client.listTools()).tools.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['every__echo', 'memory__read_graph', 'everyhttp__echo', 'modern__greet']))
    expect(names).toEqual([...names].sort())
    expect(client.getInstructions()).toBe('Use with care.')
    await client.close()
  })

  test.each([
    ['every__echo', { message: 'hi' }, 'Echo: hi'],
    ['everyhttp__echo', { message: 'hi' }, 'Echo: hi'],
    ['modern__greet', { name: 'Ada' }, 'hello Ada'],
  ])('calls %s through the bridge', async (name, args, text) => {
    const client = await connect(mode)
    const result = await client.callTool({ name, arguments: args })
    expect(result.content).toEqual([{ type: 'text', text }])
    expect(result.isError).toBeFalsy()
    await client.close()
  })

  test.each(['every__trigger-long-running-operation', 'everyhttp__trigger-long-running-operation', 'modern__counted'])(
    'receives the progress of %s',
    async (name) => {
      const client = await connect(mode)
      const seen: number[] = []
      const result = await client.callTool(
        { name, arguments: name.startsWith('modern') ? {} : { duration: 0.3, steps: 3 } },
        { onprogress: ({ progress }) => seen.push(progress) },
      )
      expect(seen).toEqual([1, 2, 3])
      expect(result.isError).toBeFalsy()
      await client.close()
    },
  )

  test('is told in the result which argument does not fit', async () => {
    const client = await connect(mode)
    const result = await client.callTool({ name: 'every__echo', arguments: { message: 5 } })
    expect(result.isError).toBe(true)
    expect(JSON.stringify(result.content)).toContain('message')
    await client.close()
  })

  test('is told that an unknown tool is unknown', async () => {
    const client = await connect(mode)
    await expect(client.callTool({ name: 'every__nothing', arguments: {} })).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining('Unknown tool'),
    })
    await client.close()
  })

  test('cancels a call on the server', async () => {
    const client = await connect(mode)
    const before = { ...modernCalls }
    const stop = new AbortController()
    const call = client.callTool({ name: 'modern__forever', arguments: {} }, { signal: stop.signal })
    const ended = expect(call).rejects.toThrow()
    await expect.poll(() => modernCalls.started).toBe(before.started + 1)
    stop.abort()
    await ended
    await expect.poll(() => modernCalls.cancelled).toBe(before.cancelled + 1)
    await client.close()
  })

  test('is told when the tools of a server change', async () => {
    const client = await connect(mode)
    extraTools = false
    modernHandler.notify.toolsChanged()
    await expect.poll(() => fleet.knows('modern__extra')).toBeUndefined()
    const changed = new Promise<void>((resolve) => client.setNotificationHandler('notifications/tools/list_changed', () => resolve()))
    if (client.getProtocolEra() === 'modern') await client.listen({ toolsListChanged: true })
    extraTools = true
    // The stream of the client opens in the background; the server may say it more than once.
    const again = setInterval(() => {
      extraTools = !extraTools
      modernHandler.notify.toolsChanged()
    }, 100)
    await changed
    clearInterval(again)
    await client.close()
  })
})

test('the eras of real servers are found out', () => {
  expect(fleet.fleet.status()).toEqual([
    expect.objectContaining({ server: 'every', state: 'ready' }),
    expect.objectContaining({ server: 'memory', state: 'ready', tools: 9 }),
    expect.objectContaining({ server: 'everyhttp', state: 'ready' }),
    expect.objectContaining({ server: 'modern', state: 'ready' }),
  ])
})
