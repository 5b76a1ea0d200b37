/** What a server that has been taken over does to others: to the host, to the gateway, to its neighbour. Each attack fails, and the neighbour serves. */
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { processesWith } from '../faults/process-state.ts'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'
import { connectClient, textOf } from './official-client.ts'
import { fixtureServer, serversReady } from './upstream-servers.ts'

const key = 'tw_conformance_ada_000000000001'
const mark = `attacker-${randomUUID()}`
const neighbourMark = `neighbour-${randomUUID()}`
const abstractName = `turnward-conformance-${randomUUID()}`

let folder: string
let gateway: RunningGateway
let client: Client
let listener: Server
let connections = 0

const server = (options: Json): Json => ({
  transport: 'stdio',
  command: ['node', fixtureServer('attacks.mjs')],
  timeout_ms: 30_000,
  ...options,
})

const config = (servers: Json): Json => ({
  listen: { port: 0 },
  principals: { ada: {} },
  keys: { ada: { principal: 'ada', secret: key } },
  grants: [{ principals: ['ada'], gateways: ['main'], tools: ['*'] }],
  servers,
  gateways: { main: { servers: Object.keys(servers) } },
  contracts: { '*': { output: { trust: 'trusted' } } },
})

const servers = (): Json => ({
  attacker: server({ env: { MARK: mark }, limits: { memory_mb: 512, processes: 64, file_mb: 16 } }),
  neighbour: server({ env: { MARK: neighbourMark } }),
})

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-attacks-'))
  await mkdir(join(folder, 'small'))
  listener = createServer((socket) => {
    connections += 1
    socket.destroy()
  })
  await new Promise<void>((resolve) => listener.listen({ path: `\0${abstractName}` }, resolve))
  gateway = await startGateway({ config: config(servers()) })
  await serversReady(gateway.url)
  client = await connectClient(gateway.url, key)
})

afterAll(async () => {
  await client?.close()
  await gateway?.stop()
  listener?.close()
  await rm(folder, { recursive: true, force: true })
})

async function attack(tool: string, args: Json = {}): Promise<unknown> {
  return JSON.parse(textOf(await client.callTool({ name: `attacker__${tool}`, arguments: args }))) as unknown
}

async function neighbourServes(): Promise<void> {
  expect(textOf(await client.callTool({ name: 'neighbour__here', arguments: {} }))).toBe('here')
}

describe('others on the machine', () => {
  test('a socket of the host without a place in the file system is not there', async () => {
    expect(await attack('abstract_socket', { name: abstractName })).toBe('ECONNREFUSED')
    expect(connections).toBe(0)
  })

  test.each([
    ['the gateway', () => gateway.pid],
    ['a neighbour', () => processesWith(neighbourMark)[0] ?? 0],
  ])('%s cannot be signalled', async (_who, pid) => {
    expect(pid()).toBeGreaterThan(1)
    const before = processesWith(neighbourMark)
    expect(await attack('signal', { pid: pid() })).toEqual([true, 'ESRCH'])
    expect(processesWith(neighbourMark)).toEqual(before)
    await neighbourServes()
  })

  test('a signal to all reaches all of its own and nobody else', async () => {
    const before = processesWith(neighbourMark)
    // It ends itself with it, or not: either is its own matter.
    await attack('signal_all').catch(() => undefined)
    expect(processesWith(neighbourMark)).toEqual(before)
    await neighbourServes()
    await serversReady(gateway.url)
  })

  test('neither what the gateway nor what a neighbour runs with can be read', async () => {
    for (const pid of [gateway.pid, processesWith(neighbourMark)[0] ?? 0]) {
      expect(await attack('look_at', { pid })).toEqual({ environ: 'ENOENT', cmdline: 'ENOENT', maps: 'ENOENT', mem: 'ENOENT' })
    }
    const open = JSON.stringify(await attack('open_files_of_all'))
    expect(open).toContain('pipe:')
    expect(open).not.toContain(gateway.dataDir)
  })

  test('no other view of the machine is made', async () => {
    expect(await attack('new_namespace')).toMatch(/Operation not permitted/)
    expect(await attack('mount')).toMatch(/permission denied|must be superuser|not permitted/i)
  })
})

describe('using up the machine', () => {
  test('its memory file systems are full when each has what one file may have', async () => {
    const filled = (await attack('fill')) as { written: number; why: string }[]
    expect(filled.map(({ why }) => why)).toEqual(['ENOSPC', 'ENOSPC', 'ENOSPC'])
    for (const { written } of filled) expect(written).toBeLessThanOrEqual(16)
    await neighbourServes()
  })

  test('children that together hold too much end the server, and it is on record why', async () => {
    await expect(client.callTool({ name: 'attacker__hoard_in_children', arguments: { children: 6, megabytes: 400 } })).rejects.toThrow()
    await neighbourServes()
    const record = await gateway.recordThat((one) => one.type === 'outcome' && one.subject === 'attacker__hoard_in_children')
    expect(record).toMatchObject({ outcome: 'error', errorCode: 'mcp.server_unavailable' })
    await until('the reason in the log', () => (/held more than its limits allow/.test(gateway.logs()) ? true : undefined))
    await serversReady(gateway.url)
  })
})

describe('outliving its server', () => {
  test('a daemon ends with the server that made it', async () => {
    expect(await attack('daemonise')).toBe('away')
    await until('the daemon', () => (processesWith(mark).length > 2 ? true : undefined))
    const { neighbour } = servers()
    await gateway.reload(config({ neighbour }))
    await until('the end of every process', () => (processesWith(mark).length === 0 ? true : undefined))
    await neighbourServes()
  })
})
