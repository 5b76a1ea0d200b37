/** Servers that have or tell too much: what is too much is left out with a word, and the rest works. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { ada } from './mixed-fleet.ts'
import { connectClient, textOf } from './official-client.ts'
import { modernRequest } from './raw-rpc.ts'
import { fixtureServer, serversReady } from './upstream-servers.ts'

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await startGateway({
    config: {
      principals: { ada: {} },
      keys: { ada: { principal: 'ada', secret: ada } },
      grants: [{ principals: ['ada'], gateways: ['*'], tools: ['*'] }],
      servers: { many: { transport: 'stdio', command: ['node', fixtureServer('many.mjs'), '10001'] } },
      gateways: { main: { servers: ['many'] } },
      contracts: { '*': { output: { trust: 'trusted' } } },
    },
  })
  await serversReady(gateway.url)
})
afterAll(() => gateway?.stop())

const target = () => ({ url: `${gateway.url}/mcp/main`, key: ada })

test('of a server with 10,001 tools 10,000 can be called, and an administrator is told why not all', async () => {
  const names = new Set<unknown>()
  let cursor: unknown
  do {
    const { message } = await modernRequest(target(), 'tools/list', cursor === undefined ? {} : { cursor })
    const result = message['result'] as { tools: Json[]; nextCursor?: string; _meta: Json }
    expect(result._meta['turnward/missing']).toEqual({ many: 'incomplete' })
    for (const { name } of result.tools) names.add(name)
    cursor = result.nextCursor
  } while (cursor !== undefined)
  expect([names.size, names.has('many__tool_9999'), names.has('many__tool_10000')]).toEqual([10_000, true, false])
  const client = await connectClient(gateway.url, ada)
  expect(textOf(await client.callTool({ name: 'many__tool_9999', arguments: {} }))).toBe('9999')
  await client.close()
  const { servers } = (await (await fetch(`${gateway.url}/readyz`)).json()) as { servers: Json[] }
  expect(servers[0]).toMatchObject({ state: 'ready', tools: 10_000, detail: 'its list of tools is too large' })
})

test('of 20,000 events of progress the client gets some, in order, and the last before the result; so of log messages', async () => {
  const { message, notifications } = await modernRequest(target(), 'tools/call', {
    name: 'many__flood',
    arguments: {},
    _meta: { progressToken: 'mine', 'io.modelcontextprotocol/logLevel': 'info' },
  })
  expect((message['result'] as { content: Json[] }).content).toEqual([{ type: 'text', text: 'flooded' }])
  const of = (method: string) => notifications.filter((one) => one['method'] === method).map((one) => one['params'] as Json)
  const progress = of('notifications/progress').map((params) => Number(params['progress']))
  expect(progress.at(-1)).toBe(20_000)
  expect(progress.slice(0, 5)).toEqual([1, 2, 3, 4, 5])
  expect(progress.toSorted((one, other) => one - other)).toEqual(progress)
  expect(progress.length).toBeLessThan(2000)
  const logs = of('notifications/message')
  const told = logs
    .filter(({ logger }) => logger === 'turnward')
    .map(({ data }) => Number(/^(\d+) log messages are left out/.exec(String(data))?.[1]))
  expect(logs.length).toBeLessThan(5000)
  expect(told.reduce((sum, count) => sum + count, 0) + logs.length - told.length).toBe(20_000)
})
