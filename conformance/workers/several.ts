/** A gateway of several processes, with a vendor and a tool server that do what they are told, and connections to a worker of choice. */
import { readFileSync } from 'node:fs'
import { Agent, createServer, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { say } from '../harness/model-answer.ts'
import { until } from '../harness/until.ts'
import { startVendor } from '../harness/vendor.ts'

export const key = 'tw_conformance_ada_000000000001'

export interface ToolServer extends AsyncDisposable {
  readonly url: string
  /** Text of every call that came, in order. */
  readonly calls: string[]
  readonly cancelled: string[]
}

/** `echo` gives back its text, `wait` never answers. */
export async function startTools(): Promise<ToolServer> {
  const calls: string[] = []
  const cancelled: string[] = []
  const running = new Map<unknown, string>()
  const tool = (name: string): Json => ({ name, inputSchema: { type: 'object', properties: { text: { type: 'string' } } } })
  const answers: Readonly<Record<string, () => Json>> = {
    initialize: () => ({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'tools', version: '1' } }),
    ping: () => ({}),
    'tools/list': () => ({ tools: ['echo', 'wait', 'read', 'send'].map(tool) }),
  }
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      if (request.method !== 'POST') return response.writeHead(405).end()
      const { id, method, params = {} } = JSON.parse(body) as Json
      if (method === 'notifications/cancelled') cancelled.push(running.get(params['requestId']) ?? '')
      if (id === undefined) return response.writeHead(202).end()
      let result = answers[String(method)]?.()
      if (method === 'tools/call') {
        const text = String(params['arguments']?.['text'])
        calls.push(text)
        running.set(id, text)
        response.once('close', () => {
          if (!response.writableFinished) cancelled.push(text)
        })
        if (params['name'] === 'wait') return
        result = { content: [{ type: 'text', text }] }
      }
      const answer = result === undefined ? { error: { code: -32601, message: 'Method not found' } } : { result }
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    calls,
    cancelled,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export interface Several extends AsyncDisposable {
  readonly gateway: RunningGateway
  readonly tools: ToolServer
  readonly config: Json
  /** A connection to this worker. */
  to(worker: number): Promise<Connection>
}

/** The model proposes what the last message names: `propose <tool> <text>`; else it says `ok`. */
export async function startSeveral(parts: Json = {}, workers = 2, env: Readonly<Record<string, string>> = {}): Promise<Several> {
  const tools = await startTools()
  const vendor = await startVendor((request) => {
    const messages = (request.body['messages'] ?? []) as Json[]
    const [, name, text] = /^propose (\w+) (.*)$/.exec(String(messages.at(-1)?.['content'] ?? '')) ?? []
    return say(request, name === undefined ? { text: 'ok' } : { calls: [{ id: `call_${text}`, name, args: { text } }] })
  })
  const config: Json = {
    workers,
    telemetry: { logs: { level: 'info' } },
    upstreams: { openai: { kind: 'openai', base_url: vendor.url, credential: 'none' } },
    routes: [{ model: 'gpt-test', upstreams: ['openai'] }],
    principals: { ada: {} },
    keys: { ada: { principal: 'ada', secret: key } },
    grants: [{ principals: ['ada'], models: ['*'], tools: ['*'], gateways: ['*'] }],
    servers: { tools: { transport: 'http', url: tools.url, era: 'legacy', max_concurrent: 256 } },
    gateways: { main: { servers: ['tools'] } },
    contracts: {
      tools__echo: { output: { trust: 'trusted' } },
      tools__wait: { output: { trust: 'trusted' } },
      tools__read: { output: { trust: 'untrusted' } },
      tools__send: { output: { trust: 'trusted' }, effects: ['egress'], requires: { trust: 'trusted' } },
    },
    ...parts,
  }
  const gateway = await startGateway({ config, env })
  await until('the tools at every worker', async () => {
    const { status, servers } = (await (await fetch(`${gateway.url}/readyz`)).json()) as Json
    return status === 'ready' && servers.every((one: Json) => one['state'] === 'ready') ? true : undefined
  })
  return {
    gateway,
    tools,
    config,
    to: (worker) => connectTo(gateway.url, worker),
    async [Symbol.asyncDispose]() {
      await gateway.stop()
      await vendor.close()
      await tools[Symbol.asyncDispose]()
    },
  }
}

export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly json: Json
}

/** One connection that stays open. */
export class Connection {
  readonly #url: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })

  constructor(url: string) {
    this.#url = url
  }

  ask(
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
    method = body === undefined ? 'GET' : 'POST',
  ): Promise<Answered> {
    return new Promise((resolve, reject) => {
      this.open(path, body, headers, method).then((response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('error', reject)
        response.on('end', () => {
          const data = /^data: (.+)$/m.exec(text)?.[1] ?? text
          const json = data.startsWith('{') ? (JSON.parse(data) as Json) : {}
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json })
        })
      }, reject)
    })
  }

  /** Resolves with the head. */
  open(path: string, body: object | undefined, headers: Readonly<Record<string, string>>, method: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body)
      const request = httpRequest(
        `${this.#url}${path}`,
        {
          agent: this.#agent,
          method,
          headers: {
            authorization: `Bearer ${key}`,
            accept: 'application/json, text/event-stream',
            ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
            ...headers,
          },
        },
        resolve,
      )
      request.on('error', reject)
      request.end(text)
    })
  }

  chat(content: string, session: string, history: readonly Json[] = []): Promise<Answered> {
    const body = { model: 'gpt-test', messages: [...history, { role: 'user', content }], tools: toolList }
    return this.ask('/v1/chat/completions', body, { 'x-turnward-session': session })
  }

  /** A call in the protocol without sessions. */
  call(name: string, text: string, id: number | string = 1): Promise<Answered> {
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'several', version: '1.0.0' },
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const body = { jsonrpc: '2.0', id, method: 'tools/call', params: { name: `tools__${name}`, arguments: { text }, _meta } }
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': `tools__${name}` }
    return this.ask('/mcp/main', body, headers)
  }

  close(): void {
    this.#agent.destroy()
  }
}

const toolList = ['echo', 'read', 'send'].map((name) => ({
  type: 'function',
  function: { name: `tools__${name}`, parameters: { type: 'object', properties: { text: { type: 'string' } } } },
}))

async function connectTo(url: string, worker: number): Promise<Connection> {
  return until(`a connection to worker ${worker}`, async () => {
    const connection = new Connection(url)
    if ((await connection.ask('/healthz')).json['worker'] === worker) return connection
    connection.close()
    return undefined
  })
}

/** Processes that this one has started. */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}

/** The worker's process, by what the gateway said of it. */
export function pidOf(gateway: RunningGateway, worker: number): number {
  const lines = gateway
    .logs()
    .split('\n')
    .filter((line) => line.includes('a worker answers requests'))
  const last = lines.map((line) => JSON.parse(line) as Json).findLast((line) => line['worker'] === worker)
  return Number(last?.['pid'])
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
