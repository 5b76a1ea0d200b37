/** What a server asks at one worker may be answered at another. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../harness/json.ts'
import { installed } from '../mcp/upstream-servers.ts'
import { startSeveral, type Connection, type Several } from './several.ts'

let several: Several
let workers: readonly [Connection, Connection]

beforeAll(async () => {
  several = await startSeveral({
    servers: { every: { transport: 'stdio', command: ['node', installed('@modelcontextprotocol/server-everything/dist/index.js')] } },
    gateways: { main: { servers: ['every'] } },
    contracts: { '*': { output: { trust: 'trusted' } } },
  })
  workers = [await several.to(0), await several.to(1)]
})
afterAll(async () => {
  for (const worker of workers ?? []) worker.close()
  await several?.[Symbol.asyncDispose]()
})

const name = 'every__trigger-elicitation-request'

async function call(worker: Connection, params: Json = {}): Promise<Json> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'several', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
  }
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {}, _meta, ...params } }
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name }
  return (await worker.ask('/mcp/main', body, headers)).json
}

const inputResponses = { 'ask-1': { action: 'accept', content: { name: 'Ada' } } }

test.each([
  [0, 1],
  [1, 0],
] as const)('asked at worker %i, answered at worker %i', async (asked, answered) => {
  const { result } = await call(workers[asked])
  expect(result).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) })
  const { requestState } = result as Json
  const done = await call(workers[answered], { inputResponses, requestState })
  expect(done['result']).toMatchObject({ resultType: 'complete' })
  expect(JSON.stringify(done)).toContain('Ada')
  // Once, wherever it is brought to.
  for (const worker of workers) expect((await call(worker, { inputResponses, requestState }))['error']).toMatchObject({ code: -32602 })
})
