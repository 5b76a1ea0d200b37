/** Results that are larger than an administrator allows: the model is told what to do, and nothing else is lost. */
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
      servers: {
        large: {
          transport: 'stdio',
          command: ['node', fixtureServer('large.mjs')],
          max_result_bytes: 1_000_000,
          max_result_bytes_of: { rows: 10_000_000 },
        },
      },
      gateways: { main: { servers: ['large'] } },
      contracts: { '*': { output: { trust: 'trusted' }, effects: ['mutation'] } },
    },
  })
  await serversReady(gateway.url)
})
afterAll(() => gateway?.stop())

async function call(name: string, args: Json): Promise<{ readonly content: readonly unknown[] }> {
  const { message } = await modernRequest({ url: `${gateway.url}/mcp/main`, key: ada }, 'tools/call', { name, arguments: args })
  return message['result'] as { content: unknown[] }
}

test('a result over the bound is an error of the tool that says how large it is, what is allowed and what helps', async () => {
  const result = await call('large__text', { bytes: 1_500_000 })
  expect(result).toMatchObject({ isError: true, content: [{ type: 'text' }] })
  expect(textOf(result)).toMatch(/it has 15000\d\d bytes, and 1000000 are allowed\..*max_result_bytes/)
  expect(textOf(await call('large__text', { bytes: 900_000 }))).toHaveLength(900_000)
})

test('it may have done what it was asked: the record says that it failed, and why', async () => {
  await call('large__text', { bytes: 2_000_000 })
  const record = await gateway.recordThat((one) => one.type === 'outcome' && one['errorCode'] === 'mcp.result_too_large')
  expect(record).toMatchObject({ outcome: 'error', subject: 'large__text' })
})

test('another tool of the same server may answer with more, in both eras', async () => {
  const client = await connectClient(gateway.url, ada)
  const old = textOf(await client.callTool({ name: 'large__rows', arguments: { count: 150_000 } }))
  await client.close()
  const rows = JSON.parse(textOf(await call('large__rows', { count: 150_000 }))) as Json[]
  expect([rows.length, rows.at(-1)]).toEqual([150_000, { row: 149_999, name: 'row 149999' }])
  expect(JSON.parse(old)).toEqual(rows)
})
