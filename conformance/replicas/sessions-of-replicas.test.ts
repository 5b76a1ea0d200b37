/** A session of the older MCP era lives at all replicas: it ends everywhere, and what runs at one is cancelled at any. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunningGateway } from '../harness/gateway-process.ts'
import { hasServices, makePlaces, startReplicas, type Replicas } from '../harness/replicas.ts'
import { until } from '../harness/until.ts'
import { serversReady } from '../mcp/upstream-servers.ts'
import { Connection, key, startTools, type ToolServer } from '../workers/several.ts'

describe.skipIf(!hasServices)('a legacy session over two replicas of two workers each', () => {
  let tools: ToolServer
  let replicas: Replicas
  let first: Connection
  let second: Connection

  beforeAll(async () => {
    tools = await startTools()
    const config = {
      workers: 2,
      principals: { ada: {} },
      keys: { ada: { principal: 'ada', secret: key } },
      grants: [{ principals: ['ada'], tools: ['*'], gateways: ['*'] }],
      servers: { tools: { transport: 'http', url: tools.url, era: 'legacy' } },
      gateways: { main: { servers: ['tools'] } },
      contracts: { 'tools__*': { output: { trust: 'trusted' } } },
    }
    replicas = await startReplicas(['a', 'b'], { config, places: await makePlaces() })
    const [a, b] = replicas.gateways as [RunningGateway, RunningGateway]
    for (const { url } of [a, b]) await serversReady(url)
    // They know of each other.
    await until('both replicas to see each other', async () => {
      const counts = await Promise.all(
        [a, b].map(
          async ({ url }) => /^turnward_cluster_processes(?:\{[^}]*\})? (\d+)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1],
        ),
      )
      return counts.every((count) => count === '4') ? true : undefined
    })
    first = new Connection(a.url)
    second = new Connection(b.url)
  })
  afterAll(async () => {
    first?.close()
    second?.close()
    await replicas?.[Symbol.asyncDispose]()
    await tools?.[Symbol.asyncDispose]()
  })

  async function open(): Promise<Record<string, string>> {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'legacy', version: '1' } }
    const { headers } = await first.ask('/mcp/main', { jsonrpc: '2.0', id: 0, method: 'initialize', params })
    return { 'mcp-session-id': String(headers['mcp-session-id']), 'mcp-protocol-version': '2025-11-25' }
  }

  test('goes on at the other one, and ends at both', async () => {
    const session = await open()
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
    expect((await second.ask('/mcp/main', ping, session)).json['result']).toEqual({})
    expect((await second.ask('/mcp/main', undefined, session, 'DELETE')).status).toBe(204)
    for (const at of [first, second]) expect((await at.ask('/mcp/main', ping, session)).status).toBe(404)
  })

  test('a call that runs at one is cancelled at the other', async () => {
    const session = await open()
    const text = randomUUID()
    const params = { name: 'tools__wait', arguments: { text } }
    const answer = first.ask('/mcp/main', { jsonrpc: '2.0', id: 9, method: 'tools/call', params }, session)
    await until('the call', () => (tools.calls.includes(text) ? true : undefined))
    await second.ask('/mcp/main', { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 9 } }, session)
    expect((await answer).text).toContain('request.cancelled')
  })

  test('its open stream ends when it is ended at the other', async () => {
    const session = await open()
    const stream = await first.open('/mcp/main', undefined, session, 'GET')
    expect(stream.statusCode).toBe(200)
    const ended = new Promise((resolve) => stream.resume().once('close', resolve))
    expect((await second.ask('/mcp/main', undefined, session, 'DELETE')).status).toBe(204)
    await ended
  })
})
