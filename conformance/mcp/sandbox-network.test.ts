/** What a sandboxed server reaches because somebody has listed it: databases under their own names, private hosts, and nothing beside them. */
import { createServer as createWeb, type Server as Web } from 'node:http'
import { createServer, type AddressInfo, type Server } from 'node:net'
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postgresPrograms } from '../../scripts/services/postgres.ts'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { privateAddress, resolving } from '../harness/named-hosts.ts'
import { testServices } from '../harness/replicas.ts'
import { connectClient, textOf } from './official-client.ts'
import { fixtureServer, serversReady } from './upstream-servers.ts'

const key = 'tw_conformance_ada_000000000001'
/** The host of an intranet: its name is in the name server of the test, its address is one of this machine. */
const intranet = 'git.corp.example'

let echo: Server
let web: Web
let gateway: RunningGateway
let client: Client
let echoed = 0

const portOf = (server: Server | Web): number => (server.address() as AddressInfo).port
const database = testServices.postgres === undefined ? undefined : new URL(testServices.postgres)

beforeAll(async () => {
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    echoed += 1
    socket.on('error', () => {}).pipe(socket)
  })
  web = createWeb((_request, response) => response.end('an intranet page'))
  for (const server of [echo, web]) await new Promise<void>((resolve) => server.listen(0, '::', resolve))
  const network = [
    { tcp: `127.0.0.1:${database?.port ?? portOf(echo)}`, as: 'orders.corp.example:5432' },
    { tcp: `127.0.0.1:${portOf(echo)}`, as: 'stock.corp.example:5432' },
    { tcp: `localhost:${portOf(echo)}`, as: 'nowhere.corp.example:5432', private: true },
    { tcp: `${intranet}:${portOf(echo)}`, private: true },
    { host: `${intranet}:${portOf(web)}`, private: true },
  ]
  const server = (list: readonly unknown[]): Json => ({
    transport: 'stdio',
    command: ['node', fixtureServer('networked.mjs')],
    network: list,
  })
  gateway = await startGateway({
    config: {
      principals: { ada: {} },
      keys: { ada: { principal: 'ada', secret: key } },
      grants: [{ principals: ['ada'], gateways: ['main'], tools: ['*'] }],
      servers: { listed: server(network), plain: server([`wiki.corp.example:${portOf(web)}`]) },
      gateways: { main: { servers: ['listed', 'plain'] } },
      contracts: { '*': { output: { trust: 'trusted' } } },
    },
    // Beside an address nobody may be led to, as a name server that is played with would answer.
    env: resolving({
      [intranet]: [['169.254.169.254', privateAddress ?? '10.0.0.1']],
      'wiki.corp.example': [[privateAddress ?? '10.0.0.1']],
    }),
  })
  await serversReady(gateway.url)
  client = await connectClient(gateway.url, key)
})

afterAll(async () => {
  await client?.close()
  await gateway?.stop()
  echo?.close()
  web?.close()
})

async function call(tool: string, args: Json, server = 'listed'): Promise<string> {
  return textOf(await client.callTool({ name: `${server}__${tool}`, arguments: args }))
}

/** The database as the server inside is told it. */
function inside(): string {
  const url = new URL(database ?? '')
  url.hostname = 'orders.corp.example'
  url.port = '5432'
  return url.href
}

describe('a TCP service', () => {
  test.skipIf(database === undefined)('is a real PostgreSQL under the name it was given, for drivers and for psql', async () => {
    const sql = `select 20 + 22 as answer, length(repeat('x', 1000000)) as size`
    expect(JSON.parse(await call('query', { url: inside(), sql }))).toEqual([{ answer: 42, size: 1_000_000 }])
    expect(await call('psql', { program: `${postgresPrograms()}/psql`, url: inside(), sql: 'select 20 + 22' })).toBe('42')
  })

  test('is beside another one of the same port', async () => {
    expect(await call('say', { host: 'stock.corp.example', port: 5432, text: 'hello' })).toBe('hello')
    const long = 'x'.repeat(500_000)
    expect((await call('say', { host: 'stock.corp.example', port: 5432, text: long })).length).toBe(long.length)
  })

  test('is the only one: no other port, no name beside it, nothing of the host', async () => {
    const before = echoed
    for (const [host, port] of [
      ['stock.corp.example', portOf(echo)],
      ['elsewhere.corp.example', 5432],
      ['127.0.0.1', portOf(echo)],
      [privateAddress ?? '10.0.0.1', portOf(echo)],
    ] as const) {
      expect(await call('say', { host, port, text: 'x' }), `${host}:${port}`).toMatch(/ECONNREFUSED|ENOTFOUND|ENETUNREACH|EAI_AGAIN/)
    }
    expect(echoed).toBe(before)
  })

  test('whose name leads to the gateway itself is not reached, not even as private', async () => {
    const before = echoed
    expect(await call('say', { host: 'nowhere.corp.example', port: 5432, text: 'x' })).toMatch(/^$|ECONNRESET|EPIPE/)
    expect(echoed).toBe(before)
    expect(gateway.logs()).toContain('not of a private network')
  })

  test('is not for a server that has not listed it', async () => {
    expect(await call('say', { host: 'stock.corp.example', port: 5432, text: 'x' }, 'plain')).toMatch(/ENOTFOUND|EAI_AGAIN/)
  })
})

describe.skipIf(privateAddress === undefined)('a private host', () => {
  test('is reached by its name where that is listed as private, through the proxy and as a TCP service', async () => {
    expect(await call('get', { url: `http://${intranet}:${portOf(web)}/` })).toBe('an intranet page')
    expect(await call('say', { host: intranet, port: portOf(echo), text: 'hello' })).toBe('hello')
  })

  test('is refused where the name alone is listed, and the answer says what is missing', async () => {
    const host = `wiki.corp.example:${portOf(web)}`
    expect(await call('get', { url: `http://${host}/` }, 'plain')).toContain(`{ host: "${host}", private: true }`)
  })
})

test('a host that is not listed is told to the server and, once, to the log, with the line that would allow it', async () => {
  for (let tries = 0; tries < 3; tries += 1)
    expect(await call('get', { url: 'http://unlisted.example/' }, 'plain')).toContain('`servers.plain.network`: - "unlisted.example:80"')
  expect(gateway.logs().split('servers.plain.network: - \\"unlisted.example:80\\"').length - 1).toBe(1)
  const { findings } = JSON.parse((await gateway.cli(['doctor', '--json'])).stdout) as { findings: Json[] }
  const [finding] = findings.filter(({ check }) => check === 'server plain')
  expect(finding).toMatchObject({ level: 'warning', detail: expect.stringContaining('unlisted.example:80') as string })
  expect(finding?.['fix']).toContain('- "unlisted.example:80"')
})
