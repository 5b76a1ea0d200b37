/** A hop as the official SDK makes it: its server in front, its client behind, no policy and no log. Argument: the URL of the MCP server. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, Server } from '@modelcontextprotocol/server'
import { serve } from './serving.ts'

const client = new Client({ name: 'bench-hop', version: '1.0.0' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv[2] ?? '')))

const handler = createMcpHandler(
  () => {
    const server = new Server({ name: 'bench-hop', version: '1.0.0' }, { capabilities: { tools: {} } })
    server.setRequestHandler('tools/list', () => client.listTools())
    server.setRequestHandler('tools/call', ({ params }) => client.callTool({ name: params.name, arguments: params.arguments ?? {} }))
    return server
  },
  { legacy: 'reject' },
)
const handle = toNodeHandler(handler)
serve((request, response) => {
  handle(request as Parameters<typeof handle>[0], response).catch((error: unknown) => response.destroy(error as Error))
})
