/** An MCP server over stdio (2025-11-25) without a library: one tool, answered at once. Ends with its standard input. */
import { createInterface } from 'node:readline'

const results: Readonly<Record<string, object>> = {
  initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'bench', version: '1.0.0' } },
  ping: {},
  'tools/list': { tools: [{ name: 'lookup', description: 'The tool lookup', inputSchema: { type: 'object' } }] },
  'tools/call': { content: [{ type: 'text', text: 'found' }] },
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line) as { id?: number | string; method: string }
  if (id === undefined) return
  const result = results[method]
  const answer = result === undefined ? { error: { code: -32601, message: 'Method not found' } } : { result }
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...answer })}\n`)
})
