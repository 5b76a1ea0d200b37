/** A legacy MCP server over HTTP that the test takes away and brings back: it refuses connections, or accepts them and says nothing. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Json } from '../harness/json.ts'

export type Mode = 'up' | 'silent' | 'broken'

export interface SwitchedServer extends AsyncDisposable {
  readonly url: string
  /** Names of the tools that were called. */
  readonly calls: readonly string[]
  /** `silent` keeps requests without an answer until the mode changes; `broken` ends every connection. */
  become(mode: Mode): void
}

export async function startSwitched(tools: readonly string[], first: Mode = 'up'): Promise<SwitchedServer> {
  const calls: string[] = []
  const kept = new Set<ServerResponse>()
  let mode = first
  const server = createServer((request, response) => {
    if (mode === 'broken') response.destroy()
    else if (mode === 'silent') kept.add(response)
    else answer(request, response).catch(() => response.destroy())
  })
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const message = (text === '' ? {} : JSON.parse(text)) as Json
    if (request.method !== 'POST') return void response.writeHead(405).end()
    if (message['id'] === undefined) return void response.writeHead(202).end()
    const reply = replyTo(String(message['method']), (message['params'] ?? {}) as Json)
    response
      .writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'switched' })
      .end(JSON.stringify({ jsonrpc: '2.0', id: message['id'], ...reply }))
  }
  const replyTo = (method: string, params: Json): Json => {
    if (method === 'initialize')
      return { result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'switched', version: '1' } } }
    if (method === 'tools/list') return { result: { tools: tools.map((name) => ({ name, inputSchema: { type: 'object' } })) } }
    if (method !== 'tools/call') return { error: { code: -32601, message: 'Method not found' } }
    calls.push(String(params['name']))
    return { result: { content: [{ type: 'text', text: 'ran' }] } }
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    calls,
    become(next) {
      mode = next
      for (const response of kept) response.destroy()
      kept.clear()
      if (next === 'broken') server.closeAllConnections()
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
