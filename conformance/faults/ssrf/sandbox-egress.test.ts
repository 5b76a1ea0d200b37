/** A server in the sandbox that may reach a few names tries to reach the gateway's machine through them, in every form there is. */
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../../harness/gateway-process.ts'
import type { Json } from '../../harness/json.ts'
import { privateAddress, resolving } from '../../harness/named-hosts.ts'
import { connectClient, textOf } from '../../mcp/official-client.ts'
import { fixtureServer, serversReady } from '../../mcp/upstream-servers.ts'
import { addressForms, hostileNames } from './address-forms.ts'
import { startCanary, type Canary } from './canary.ts'

const key = 'tw_conformance_ada_000000000001'
const names = Object.keys(hostileNames)
const isCorp = (name: string): boolean => name.endsWith('.corp.example')

let canary: Canary
let gateway: RunningGateway
let client: Client

beforeAll(async () => {
  canary = await startCanary()
  const { port } = canary
  const server = (network: readonly unknown[]): Json => ({ transport: 'stdio', command: ['node', fixtureServer('networked.mjs')], network })
  gateway = await startGateway({
    config: {
      principals: { ada: {} },
      keys: { ada: { principal: 'ada', secret: key } },
      grants: [{ principals: ['ada'], gateways: ['main'], tools: ['*'] }],
      servers: {
        listed: server([
          `listed.example:${port}`,
          `*.listed.example:${port}`,
          `localhost:${port}`,
          { host: `*.corp.example:${port}`, private: true },
          ...names.map((name, index) => ({ tcp: `${name}:${port}`, as: `service${index}:5000`, private: isCorp(name) })),
        ]),
        control: server([
          `127.0.0.1:${port}`,
          { host: `moving.corp.example:${port}`, private: true },
          { tcp: `127.0.0.1:${port}`, as: 'service:5000' },
        ]),
      },
      gateways: { main: { servers: ['listed', 'control'] } },
      contracts: { '*': { output: { trust: 'trusted' } } },
    },
    env: resolving({ ...hostileNames, 'moving.corp.example': [[privateAddress ?? '10.0.0.1'], ['127.0.0.1']] }),
  })
  await serversReady(gateway.url)
  client = await connectClient(gateway.url, key)
})

afterAll(async () => {
  await client?.close()
  await gateway?.stop()
  await canary?.[Symbol.asyncDispose]()
})

async function call(tool: string, args: Json, server = 'listed'): Promise<string> {
  return textOf(await client.callTool({ name: `${server}__${tool}`, arguments: args }))
}

const tunnel = (authority: string): string => `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n\r\n`
const absolute = (authority: string): string => `GET http://${authority}/ HTTP/1.1\r\nhost: listed.example\r\nconnection: close\r\n\r\n`
const ways = [
  ['a tunnel', tunnel],
  ['a request', absolute],
] as const

test('there are enough forms, and what is allowed arrives', async () => {
  expect(addressForms.length).toBeGreaterThan(100)
  const authority = `127.0.0.1:${canary.port}`
  expect(await call('proxy', { text: tunnel(authority) }, 'control')).toMatch(/^HTTP\/1\.1 200 /)
  expect(await call('proxy', { text: absolute(authority) }, 'control')).toContain('canary')
  expect(await call('say', { host: 'service', port: 5000, text: 'x' }, 'control')).toContain('canary')
  expect(canary.seen()).toHaveLength(3)
})

describe.each(ways)('%s through the proxy', (_what, text) => {
  test('leads to the machine of the gateway in no form of an address', async () => {
    for (const { what, at } of addressForms) {
      const answer = await call('proxy', { text: text(at(canary.port)) })
      expect(answer, what).not.toMatch(/^HTTP\/1\.1 2|canary/)
      expect(canary.seen(), what).toEqual([])
    }
  })

  test('leads there by no name, listed or not, whatever it resolves to', async () => {
    for (const name of names.flatMap((one) => [one, one.toUpperCase(), `${one}.`])) {
      const answer = await call('proxy', { text: text(`${name}:${canary.port}`) })
      expect(answer, name).toMatch(/^HTTP\/1\.1 403 /)
      expect(canary.seen(), name).toEqual([])
    }
  })
})

test('a TCP service leads there by no name', async () => {
  for (const [index, name] of names.entries()) {
    expect(await call('say', { host: `service${index}`, port: 5000, text: 'x' }), name).not.toContain('canary')
    expect(canary.seen(), name).toEqual([])
  }
})

test.skipIf(privateAddress === undefined)(
  'a name that moves between two connections is dialled where it was judged, and then not at all',
  async () => {
    const authority = `moving.corp.example:${canary.port}`
    expect(await call('proxy', { text: tunnel(authority) }, 'control')).toMatch(/^HTTP\/1\.1 200 /)
    expect(canary.seen()).toEqual([privateAddress])
    expect(await call('proxy', { text: tunnel(authority) }, 'control')).toMatch(/^HTTP\/1\.1 403 /)
    expect(canary.seen()).toEqual([])
  },
)
