/** MCP servers behind the gateway that listen on sockets: the official one, a modern one on the official SDK, and one without a library. */
import { spawn } from 'node:child_process'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { acceptedContent, createMcpHandler, inputRequired, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { repositoryRoot } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'

const confirmation = z.object({ confirm: z.boolean() })

export interface HttpUpstream extends AsyncDisposable {
  readonly url: string
}

/** Entry script of an installed package. */
export function installed(path: string): string {
  return join(repositoryRoot, 'node_modules', path)
}

/** A server of `conformance/fixtures/servers`. */
export function fixtureServer(name: string): string {
  return join(repositoryRoot, 'conformance/fixtures/servers', name)
}

/** `server-everything` in its own Streamable HTTP mode. */
export async function startEverything(): Promise<HttpUpstream> {
  const port = await freePort()
  const child = spawn(process.execPath, [installed('@modelcontextprotocol/server-everything/dist/index.js'), 'streamableHttp'], {
    env: { PATH: '/usr/bin:/bin', PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  await until('server-everything', () => (said.includes('listening') ? true : undefined))
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.kill('SIGKILL')
      await ended
    },
  }
}

export interface ModernUpstream extends HttpUpstream {
  readonly calls: { started: number; cancelled: number }
  /** Whether the tool `extra` is there; says so to whoever listens. */
  showExtra(shown: boolean): void
}

/** A server that speaks 2026-07-28 and nothing else. */
export async function startModern(): Promise<ModernUpstream> {
  const calls = { started: 0, cancelled: 0 }
  let extra = false
  const handler = createMcpHandler(
    () => {
      const server = new McpServer({ name: 'modern', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } })
      server.registerTool('greet', { description: 'Greets', inputSchema: z.object({ name: z.string() }) }, async ({ name }) => ({
        content: [{ type: 'text', text: `hello ${name}` }],
      }))
      server.registerTool('counted', { inputSchema: z.object({}) }, async (_args, context) => {
        const progressToken = context.mcpReq._meta?.progressToken ?? 0
        for (let progress = 1; progress <= 3; progress += 1)
          await context.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 3 } })
        return { content: [{ type: 'text', text: 'counted' }] }
      })
      server.registerTool('deploy', { inputSchema: z.object({ env: z.string() }) }, async ({ env }, context) => {
        const confirmed = acceptedContent(context.mcpReq.inputResponses, 'confirm', confirmation)
        if (confirmed === undefined)
          return inputRequired({
            inputRequests: { confirm: inputRequired.elicit({ message: `Deploy to ${env}?`, requestedSchema: confirmation }) },
            requestState: `deploy ${env}`,
          })
        const state = String(context.mcpReq.requestState())
        return { content: [{ type: 'text', text: `${confirmed.confirm ? 'deployed' : 'not deployed'} to ${env} (${state})` }] }
      })
      server.registerTool('forever', { inputSchema: z.object({}) }, async (_args, context) => {
        calls.started += 1
        await new Promise((resolve) => context.mcpReq.signal.addEventListener('abort', resolve))
        calls.cancelled += 1
        return { content: [] }
      })
      if (extra) server.registerTool('extra', { inputSchema: z.object({}) }, async () => ({ content: [] }))
      return server
    },
    { legacy: 'reject' },
  )
  const handle = toNodeHandler(handler)
  const upstream = await listening((request, response) => void handle(request as Parameters<typeof handle>[0], response))
  return {
    ...upstream,
    calls,
    showExtra(shown) {
      extra = shown
      handler.notify.toolsChanged()
    },
    async [Symbol.asyncDispose]() {
      await handler.close()
      await upstream[Symbol.asyncDispose]()
    },
  }
}

export interface RawUpstream extends HttpUpstream {
  /** Parameters and headers of every `tools/call`, as they came. */
  readonly calls: readonly { readonly params: Json; readonly headers: IncomingMessage['headers'] }[]
}

/** A legacy server (2025-11-25, plain JSON answers) that sends exactly what it is told to. It lists its tools in pages. */
export async function startRaw(tools: readonly Json[], result: Json, pageSize = tools.length): Promise<RawUpstream> {
  const calls: { params: Json; headers: IncomingMessage['headers'] }[] = []
  const answers: Readonly<Record<string, (params: Json) => Json>> = {
    initialize: () => ({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'raw', version: '1' } }),
    ping: () => ({}),
    'tools/list': ({ cursor }) => {
      const from = cursor === undefined ? 0 : Number(cursor)
      return {
        tools: tools.slice(from, from + pageSize),
        ...(from + pageSize < tools.length ? { nextCursor: String(from + pageSize) } : {}),
      }
    },
    'tools/call': () => result,
  }
  const upstream = await listening(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const message = (text === '' ? {} : JSON.parse(text)) as Json
    const answer = answers[String(message['method'])]
    const params = (message['params'] ?? {}) as Json
    if (message['method'] === 'tools/call') calls.push({ params, headers: request.headers })
    if (request.method !== 'POST') response.writeHead(405).end()
    else if (message['id'] === undefined) response.writeHead(202).end()
    else {
      const reply = answer === undefined ? { error: { code: -32601, message: 'Method not found' } } : { result: answer(params) }
      response
        .writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'raw-1' })
        .end(JSON.stringify({ jsonrpc: '2.0', id: message['id'], ...reply }))
    }
  })
  return { ...upstream, calls }
}

export async function listening(listener: RequestListener): Promise<HttpUpstream> {
  const server = createServer(listener)
  const port = await listenOn(server)
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

function listenOn(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))
}

async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listenOn(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Waits until every configured server but those in `down` is ready, so that no test pays for a cold start. Throws with what the gateway says of them. */
export async function serversReady(gatewayUrl: string, down: readonly string[] = []): Promise<void> {
  let last = ''
  try {
    await until('the MCP servers', async () => {
      const { servers } = (await (await fetch(`${gatewayUrl}/readyz`)).json()) as Json
      last = JSON.stringify(servers)
      return (servers as Json[]).every(({ server, state }) => state === 'ready' || down.includes(String(server))) ? true : undefined
    })
  } catch (error) {
    throw new Error(`not every MCP server is ready: ${last}`, { cause: error })
  }
}
