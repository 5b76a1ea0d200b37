/** MCP servers that use up or break whatever they can: contained, told in /readyz, their neighbour served, nothing left behind. */
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'
import { modernRequest, type RpcAnswer } from '../mcp/raw-rpc.ts'
import { fixtureServer } from '../mcp/upstream-servers.ts'
import { inspect, inspectable } from './inspection.ts'
import { descendantsOf, processesWith } from './process-state.ts'
import { within } from './within.ts'

const key = 'tw_conformance_ada_000000000001'
const mark = `mark-${randomUUID()}`

let gateway: RunningGateway
let inspector: Awaited<ReturnType<typeof inspect>>

const runaway = (options: Json = {}, ...args: string[]): Json => ({
  transport: 'stdio',
  command: ['node', fixtureServer('runaway.mjs'), ...args],
  env: { MARK: mark },
  timeout_ms: 1500,
  max_concurrent: 1,
  limits: { memory_mb: 256, processes: 32, cpu_seconds: 3600 },
  ...options,
})

function configOf(servers: Json): Json {
  return {
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

beforeAll(async () => {
  gateway = await startGateway({ config: configOf({ runaway: runaway(), neighbour: runaway() }), env: inspectable })
  inspector = await inspect(gateway)
  await ready('runaway', 'neighbour')
})
afterAll(async () => {
  inspector?.close()
  await gateway?.stop()
})

async function statusOf(server: string, url = gateway.url): Promise<Json> {
  const { servers } = (await within(5000, '/readyz', fetch(`${url}/readyz`).then((response) => response.json()))) as { servers: Json[] }
  return servers.find((one) => one['server'] === server) ?? {}
}

async function ready(...servers: string[]): Promise<void> {
  for (const server of servers) await until(`${server} to be ready`, async () => ((await statusOf(server))['state'] === 'ready' ? true : undefined), 40_000)
}

function call(tool: string, url = gateway.url, args: Json = {}): Promise<RpcAnswer> {
  return modernRequest({ url: `${url}/mcp/main`, key }, 'tools/call', { name: tool, arguments: args })
}

/** The neighbour answers while the other one is running away. */
async function neighbourServes(): Promise<void> {
  const { message } = await within(5000, 'the neighbour', call('neighbour__probe'))
  expect(message['result']).toMatchObject({ content: [{ text: 'here' }] })
}

describe('a server that runs away in a call', () => {
  afterEach(neighbourServes)

  test.each([
    ['fork_bomb', /timeout|unavailable/],
    ['hog', /timeout|unavailable/],
    ['spin', /timeout/],
    ['flood_one_line', /unavailable/],
    ['flood_lines', /timeout|unavailable/],
    ['flood_pings', /timeout|unavailable/],
    ['flood_changes', /timeout|unavailable/],
    ['flood_stderr', /timeout/],
    ['hang', /timeout/],
    ['stop_reading', /timeout/],
    ['die', /unavailable/],
  ])('%s: the call ends with its code, the neighbour is served, memory is not used up', async (tool, code) => {
    await ready('runaway')
    const before = await inspector.look()
    const running = within(8000, 'the call', call(`runaway__${tool}`))
    await neighbourServes()
    const { message } = await running
    expect(message['error']).toMatchObject({ data: { code: expect.stringMatching(code) } })
    await neighbourServes()
    const after = await within(5000, 'a look inside', inspector.look())
    expect(after.heapMb + after.buffersMb - before.heapMb - before.buffersMb).toBeLessThan(32)
    expect(descendantsOf(gateway.pid).length).toBeLessThan(60)
    // Whatever it still does is ended with it, and it can be had again.
    await gateway.reload({ ...configOf({ neighbour: runaway() }), listen: { port: 0 } })
    await until('the end of the server', () => (processesWith(mark).length <= perServer() ? true : undefined))
    await gateway.reload({ ...configOf({ runaway: runaway(), neighbour: runaway() }), listen: { port: 0 } })
    await ready('runaway')
  }, 60_000)

  test('garbage between its messages is skipped', async () => {
    await ready('runaway')
    expect((await call('runaway__garbage')).message['result']).toMatchObject({ content: [{ text: 'said' }] })
  })
})

let alone: number | undefined
/** Processes of the one server that is left. */
function perServer(): number {
  alone ??= Math.ceil(processesWith(mark).length / 2) + 2
  return alone
}

describe('a server that is none from the start', () => {
  test.each([
    ['dying', 'dying'],
    ['not there', undefined],
  ])('%s is said to have failed, and tried ever more slowly', async (_what, mode) => {
    const broken = mode === undefined ? { transport: 'stdio', command: ['/nowhere/server'] } : runaway({}, mode)
    await using other = await startGateway({ config: configOf({ broken, neighbour: runaway() }) })
    await until('the crash loop', async () => (/failed \d+ times/.test(String((await statusOf('broken', other.url))['detail'])) ? true : undefined))
    expect((await call('neighbour__probe', other.url)).message['result']).toMatchObject({ content: [{ text: 'here' }] })
    const refused = await within(5000, 'the refusal', call('broken__probe', other.url))
    expect(refused.message['error'] ?? refused.message['result']).toBeDefined()
  }, 40_000)

  test.each(['mute', 'deaf'])('%s: the gateway serves the others and says that it is starting', async (mode) => {
    await using other = await startGateway({ config: configOf({ broken: runaway({}, mode), neighbour: runaway() }) })
    await until('the neighbour', async () => ((await statusOf('neighbour', other.url))['state'] === 'ready' ? true : undefined))
    expect(await statusOf('broken', other.url)).toMatchObject({ tools: 0 })
    expect((await statusOf('broken', other.url))['state']).not.toBe('ready')
    expect((await call('neighbour__probe', other.url)).message['result']).toMatchObject({ content: [{ text: 'here' }] })
    const own = `ended-${randomUUID()}`
    expect(processesWith(own)).toEqual([])
    expect(await within(10_000, 'the stop', other.stop())).toBe(0)
  }, 40_000)
})

describe.each(['bubblewrap', 'process'])('grandchildren of a server that is run by %s', (runner) => {
  test.each(['SIGTERM', 'SIGKILL'] as const)('do not outlive the gateway (%s)', async (signal) => {
    const own = `orphan-${randomUUID()}`
    const server = runaway({ env: { MARK: own }, runner, ...(runner === 'process' ? { unsafe_no_sandbox: true } : {}) })
    await using other = await startGateway({ config: configOf({ left: server }) })
    await until('the server', async () => ((await statusOf('left', other.url))['state'] === 'ready' ? true : undefined))
    expect((await call('left__orphan', other.url)).message['result']).toMatchObject({ content: [{ text: 'left' }] })
    await until('the grandchildren', () => (processesWith(own).length > 3 ? true : undefined))
    await other.stop(signal)
    await until('the end of every process', () => (processesWith(own).length === 0 ? true : undefined))
  }, 40_000)
})
