/** The floor under the tool floor: one JSON-RPC hop that parses, gives the request its own id, and serialises again, both ways. Argument: the URL of the MCP server. */
import { Pool } from 'undici'
import { serve } from './serving.ts'

const target = new URL(process.argv[2] ?? '')
const pool = new Pool(target.origin, { connections: 64, pipelining: 1 })
const mirrored = ['mcp-protocol-version', 'mcp-method', 'mcp-name']
let next = 1

serve((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (chunk: Buffer) => parts.push(chunk))
  request.once('end', () => {
    forward(Buffer.concat(parts)).catch(() => response.destroy())
  })

  async function forward(bytes: Buffer): Promise<void> {
    const message = JSON.parse(bytes.toString('utf8')) as { id: number }
    const headers: Record<string, string> = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    for (const name of mirrored) {
      const value = request.headers[name]
      if (typeof value === 'string') headers[name] = value
    }
    const answer = await pool.request({ method: 'POST', path: target.pathname, headers, body: JSON.stringify({ ...message, id: next++ }) })
    const result = JSON.parse(await answer.body.text()) as object
    const text = JSON.stringify({ ...result, id: message.id })
    response.writeHead(answer.statusCode, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
  }
})
