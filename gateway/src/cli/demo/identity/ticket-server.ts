/**
 * The ticket system of the demo: an MCP server (2025-11-25, answers as JSON) that shows its tools to anybody and does something only
 * for whoever a token made for it names. Everybody has tickets of their own.
 */
import { createServer, type IncomingMessage } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import type { JWTPayload } from 'jose'
import { asText, isObject, type JsonObject } from '../../../core/json.ts'
import { listenLocally } from './listening-locally.ts'

export interface TicketServer {
  /** Of the MCP endpoint. */
  readonly url: string
  /** What somebody has left open. */
  openOf(person: string): readonly string[]
  /** `authorization` of every call, oldest first. */
  readonly shown: readonly string[]
  close(): void
}

const tools = [
  {
    name: 'list',
    description: 'Lists your open tickets, the oldest first',
    inputSchema: { type: 'object' },
    annotations: { readOnlyHint: true },
  },
  {
    name: 'close',
    description: 'Closes one of your tickets',
    inputSchema: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
  },
]

/** `verify`: what a token that was made for this server says. */
export async function startTicketServer(
  verify: (token: string) => Promise<JWTPayload>,
  tickets: Readonly<Record<string, readonly string[]>>,
): Promise<TicketServer> {
  const open = new Map(Object.entries(tickets).map(([person, ids]) => [person, [...ids]]))
  const shown: string[] = []

  async function callTool(request: IncomingMessage, { name, arguments: args }: JsonObject): Promise<JsonObject | undefined> {
    const { authorization = '' } = request.headers
    shown.push(authorization)
    const claims = await verify(authorization.replace('Bearer ', '')).catch(() => undefined)
    if (claims === undefined) return undefined
    const own = open.get(asText(claims.email)) ?? []
    if (name === 'list') return answerText(own.length === 0 ? 'none' : own.join('\n'))
    const id = isObject(args) ? asText(args.id) : ''
    const at = own.findIndex((ticket) => ticket.startsWith(`${id} `))
    if (at === -1) return { ...answerText('you have no such ticket'), isError: true }
    return answerText(`closed: ${own.splice(at, 1).join()}`)
  }

  async function answer(request: IncomingMessage): Promise<{ readonly status: number; readonly body?: object }> {
    if (request.method !== 'POST') return { status: 405 }
    const message: unknown = JSON.parse(await readText(request))
    if (!isObject(message)) return { status: 400 }
    const { id, method, params } = message
    if (id === undefined) return { status: 202 }
    const result = (value: object) => ({ status: 200, body: { jsonrpc: '2.0', id, result: value } })
    if (method === 'initialize')
      return result({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'tickets', version: '1.0.0' } })
    if (method === 'ping') return result({})
    if (method === 'tools/list') return result({ tools })
    if (method !== 'tools/call')
      return { status: 400, body: { jsonrpc: '2.0', id, error: { code: -32601, message: 'there is no such method' } } }
    const called = await callTool(request, isObject(params) ? params : {})
    return called === undefined ? { status: 401 } : result(called)
  }

  const server = createServer((request, response) => {
    answer(request)
      .catch((): { readonly status: number; readonly body?: object } => ({ status: 400 }))
      .then(({ status, body }) => {
        response.writeHead(status, body === undefined ? {} : { 'content-type': 'application/json' })
        response.end(body === undefined ? undefined : JSON.stringify(body))
      })
      .catch(() => response.destroy())
  })
  const url = await listenLocally(server)
  return {
    url: `${url}/mcp`,
    openOf: (person) => open.get(person) ?? [],
    shown,
    close() {
      server.close()
    },
  }
}

function answerText(text: string): JsonObject {
  return { content: [{ type: 'text', text }] }
}
