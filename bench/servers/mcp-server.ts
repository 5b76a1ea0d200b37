/** A modern MCP server (2026-07-28) over HTTP without a library: it reads the request and answers from prebuilt text. Announces no list changes. Argument: how many tools it lists besides those that are called. */
import { serve } from './serving.ts'

const modernVersion = '2026-07-28'
const more = Array.from({ length: Number(process.argv[2] ?? 0) }, (_, index) => `tool-${index}`)
const tools = ['lookup', 'search', 'report', ...more].map((name) => ({
  name,
  description: `The tool ${name}`,
  inputSchema: { type: 'object', properties: { query: { type: 'string' }, limit: { type: 'integer' } }, required: ['query'] },
}))
const content = [{ type: 'text', text: 'Northwind, invoice 18,400, due on Thursday; contact on file. '.repeat(16) }]

const results: Readonly<Record<string, string>> = {
  'server/discover': JSON.stringify({ supportedVersions: [modernVersion], capabilities: { tools: {} }, resultType: 'complete' }),
  'tools/list': JSON.stringify({ tools, resultType: 'complete', ttlMs: 60_000, cacheScope: 'private' }),
  'tools/call': JSON.stringify({ content, resultType: 'complete' }),
}

serve((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (chunk: Buffer) => parts.push(chunk))
  request.once('end', () => {
    if (request.method !== 'POST') return response.writeHead(405).end()
    const { id, method } = JSON.parse(Buffer.concat(parts).toString('utf8')) as { id?: number; method: string }
    if (id === undefined) return response.writeHead(202).end()
    const result = results[method]
    const answer = result === undefined ? `"error":{"code":-32601,"message":"Method not found"}` : `"result":${result}`
    const text = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},${answer}}`
    return response
      .writeHead(result === undefined ? 404 : 200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
      .end(text)
  })
})
