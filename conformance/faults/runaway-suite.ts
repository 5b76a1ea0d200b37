/** Gateways with servers of the fixture `runaway.mjs`, and the one check every misbehaviour gets. Shared by the fast and the long suite. */
import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { until, within } from '../harness/until.ts'
import { modernRequest, type RpcAnswer } from '../mcp/raw-rpc.ts'
import { fixtureServer } from '../mcp/upstream-servers.ts'
import { inspect, inspectable } from './inspection.ts'
import { descendantsOf, processesWith } from './process-state.ts'

const key = 'tw_conformance_ada_000000000001'

/** A server of the fixture, in one of its modes. */
export function runaway(options: Json = {}, ...mode: string[]): Json {
  return {
    transport: 'stdio',
    command: ['node', fixtureServer('runaway.mjs'), ...mode],
    timeout_ms: 3000,
    max_concurrent: 1,
    limits: { memory_mb: 256, processes: 32, cpu_seconds: 3600 },
    ...options,
  }
}

export function configOf(servers: Json): Json {
  return {
    listen: { port: 0 },
    principals: { ada: {} },
    keys: { ada: { principal: 'ada', secret: key } },
    grants: [{ principals: ['ada'], gateways: ['main'], tools: ['*'] }],
    servers,
    gateways: { main: { servers: Object.keys(servers) } },
    contracts: { '*': { output: { trust: 'trusted' } } },
    limits: { max_response_bytes: 4 * 1024 * 1024 },
    telemetry: { logs: { level: 'warn' } },
  }
}

export async function serverStatus(url: string, server: string): Promise<Json> {
  const { servers } = (await within(
    '/readyz',
    fetch(`${url}/readyz`).then((response) => response.json()),
  )) as { servers: Json[] }
  return servers.find((one) => one['server'] === server) ?? {}
}

export async function serverReady(url: string, server: string): Promise<void> {
  await until(`${server} to be ready`, async () => ((await serverStatus(url, server))['state'] === 'ready' ? true : undefined))
}

export function callTool(url: string, name: string): Promise<RpcAnswer> {
  return modernRequest({ url: `${url}/mcp/main`, key }, 'tools/call', { name, arguments: {} })
}

/** The neighbour answers, whatever the other one does. */
export async function neighbourServes(url: string): Promise<void> {
  const { message } = await within('the neighbour', callTool(url, 'neighbour__probe'))
  expect(message['result']).toMatchObject({ content: [{ text: 'here' }] })
}

export interface Containment extends AsyncDisposable {
  readonly gateway: RunningGateway
  /**
   * Calls the tool of the server that runs away. Throws unless the call ends with the code, the neighbour is served meanwhile, memory of the
   * gateway and the number of processes stay bounded, and nothing of the server is left when it leaves the configuration.
   */
  contains(tool: string, code: RegExp): Promise<void>
}

export async function startContainment(): Promise<Containment> {
  const gateway = await startGateway({ config: configOf({ neighbour: runaway() }), env: inspectable })
  const inspector = await inspect(gateway)
  await serverReady(gateway.url, 'neighbour')
  return {
    gateway,
    async contains(tool, code) {
      const mark = `runaway-${randomUUID()}`
      await gateway.reload(configOf({ neighbour: runaway(), runaway: runaway({ env: { MARK: mark } }) }))
      await serverReady(gateway.url, 'runaway')
      const before = await inspector.look()
      const running = within('the call', callTool(gateway.url, `runaway__${tool}`))
      await neighbourServes(gateway.url)
      const { message } = await running
      expect(message['error']).toMatchObject({ data: { code: expect.stringMatching(code) } })
      await neighbourServes(gateway.url)
      await inspector.shrinks('what a server ran away with', before, 40)
      expect(descendantsOf(gateway.pid).length).toBeLessThan(60)
      await gateway.reload(configOf({ neighbour: runaway() }))
      await until('the end of every process', () => (processesWith(mark).length === 0 ? true : undefined))
    },
    async [Symbol.asyncDispose]() {
      inspector.close()
      await gateway.stop()
    },
  }
}
