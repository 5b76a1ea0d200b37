/** The server leg: the suite is the client, and what answers it is the fixture, directly or behind a gateway. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGateway } from '../harness/gateway-process.ts'
import { installed, serversReady } from '../mcp/upstream-servers.ts'
import { startShim } from './bearer-shim.ts'
import { startFixture, type Eras } from './fixture/fixture-server.ts'
import { startTaskServer } from './fixture/task-server.ts'
import { checkScenarios, checkServer, type Ran, type Revision } from './suite.ts'

const direct = new Map<Revision, Promise<Ran>>()

/** The fixture asked directly, once in a process: what every other lane is held to. */
export function ranDirectly(revision: Revision): Promise<Ran> {
  const known = direct.get(revision) ?? askFixture(revision)
  direct.set(revision, known)
  return known
}

async function askFixture(revision: Revision): Promise<Ran> {
  await using fixture = await startFixture('both')
  return await checkServer(fixture.url, revision)
}

const key = 'tw_conformance_suite_00000000001'

/** The fixture in some eras, and other servers, behind one gateway. */
export async function ranThroughGateway(revision: Revision, eras: Eras, others: Readonly<Record<string, object>> = {}): Promise<Ran> {
  await using fixture = await startFixture(eras)
  return await ranBehindGateway({ fixture: { transport: 'http', url: fixture.url }, ...others }, (url) => checkServer(url, revision))
}

export async function ranTasksDirectly(scenarios: readonly string[]): Promise<Ran> {
  await using fixture = await startTaskServer()
  return await checkScenarios(fixture.url, scenarios, '2026-07-28')
}

/** The fixture of the tasks extension behind a gateway. */
export async function ranTasks(scenarios: readonly string[]): Promise<Ran> {
  await using fixture = await startTaskServer()
  return await ranBehindGateway({ fixture: { transport: 'http', url: fixture.url } }, (url) => checkScenarios(url, scenarios, '2026-07-28'))
}

async function ranBehindGateway(servers: Readonly<Record<string, object>>, check: (url: string) => Promise<Ran>): Promise<Ran> {
  await using gateway = await startGateway({
    config: {
      principals: { suite: {} },
      keys: { suite: { principal: 'suite', secret: key } },
      grants: [{ principals: ['suite'], gateways: ['main'], tools: ['*'] }],
      servers,
      gateways: { main: { servers: Object.keys(servers), names: 'original' } },
      contracts: { '*': { output: { trust: 'trusted' } } },
    },
  })
  await serversReady(gateway.url)
  await using shim = await startShim(`${gateway.url}/mcp/main`, key)
  return await check(shim.url)
}

/** The fixture beside a server of files and one of memories, both in the sandbox. */
export async function ranThroughAggregate(revision: Revision): Promise<Ran> {
  const folder = await mkdtemp(join(tmpdir(), 'turnward-aggregate-'))
  const stdio = (name: string, ...args: readonly string[]): object => ({
    transport: 'stdio',
    command: ['node', installed(`@modelcontextprotocol/${name}/dist/index.js`), ...args],
    mounts: [{ path: folder, write: true }],
  })
  try {
    return await ranThroughGateway(revision, 'both', {
      files: stdio('server-filesystem', folder),
      memory: { ...stdio('server-memory'), env: { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') } },
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
