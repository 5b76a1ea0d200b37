/**
 * The lanes: who answers the suite, in which era, and through what. A lane is a line in a table; what it may fail is the
 * file of its name in `expected-failures/`.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { startGateway } from '../harness/gateway-process.ts'
import { installed, serversReady } from '../mcp/upstream-servers.ts'
import { startShim } from './bearer-shim.ts'
import { startFixture, type Eras } from './fixture/fixture-server.ts'
import { ranAsClient } from './client-leg.ts'
import { checkServer, required, type Ran, type Revision } from './suite.ts'
import { judge, type Verdict } from './verdict.ts'

export interface Lane {
  readonly name: string
  readonly what: string
  readonly revision: Revision
  readonly run: (revision: Revision) => Promise<Ran>
  readonly leg: 'server' | 'client'
}

export const lanes: readonly Lane[] = [
  direct('2025-11-25'),
  direct('2026-07-28'),
  through('legacy-to-legacy', 'a legacy client, a server that is legacy only', '2025-11-25', 'legacy'),
  through('modern-to-modern', 'a modern client, a server that is modern only', '2026-07-28', 'modern'),
  through('modern-to-legacy', 'a modern client, a server that is legacy only: what is modern is the gateway', '2026-07-28', 'legacy'),
  aggregate('2025-11-25'),
  aggregate('2026-07-28'),
  client('2025-11-25'),
  client('2026-07-28'),
]

function direct(revision: Revision): Lane {
  return { name: `direct-${revision}`, what: 'the fixture itself, which shows that it is right', revision, leg: 'server', run: reference }
}

function through(name: string, what: string, revision: Revision, eras: Eras): Lane {
  return { name, what, revision, leg: 'server', run: () => ranThrough(revision, eras, {}) }
}

function aggregate(revision: Revision): Lane {
  const what = 'the fixture beside a server of files and one of memories'
  return { name: `aggregate-${revision}`, what, revision, leg: 'server', run: ranThroughAggregate }
}

function client(revision: Revision): Lane {
  const what = 'servers of the suite behind the gateway, which is their client'
  return { name: `client-${revision}`, what, revision, leg: 'client', run: ranAsClient }
}

/**
 * What the suite does not score yet and a gateway can do: judged all the same. The scenarios of the tasks extension are left
 * out, because the SDK that the fixture is written on has no tasks.
 */
const extras: Readonly<Record<Revision, readonly string[]>> = {
  '2025-11-25': ['server-session-lifecycle', 'json-schema-2020-12', 'server-sse-polling'],
  '2026-07-28': ['json-schema-2020-12', 'http-header-validation', 'http-custom-header-server-validation'],
}

/** Runs a lane and says what it comes to. */
export async function runLane({ name, revision, leg, run }: Lane): Promise<Verdict> {
  const server = leg === 'server'
  return judge({
    ran: await run(revision),
    scored: await required(revision, leg),
    extras: server ? extras[revision] : [],
    expected: await expectedFailures(name),
    ...(server ? { reference: await reference(revision) } : {}),
  })
}

/** `scenario:check` -> reason. A lane without a file may fail nothing. */
async function expectedFailures(name: string): Promise<ReadonlyMap<string, string>> {
  const path = join(import.meta.dirname, 'expected-failures', `${name}.yaml`)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}'
    throw error
  })
  return new Map(Object.entries((parse(text) as Record<string, string> | null) ?? {}))
}

const references = new Map<Revision, Promise<Ran>>()

/** The fixture asked directly, once a run. */
function reference(revision: Revision): Promise<Ran> {
  const known = references.get(revision) ?? ranDirectly(revision)
  references.set(revision, known)
  return known
}

async function ranDirectly(revision: Revision): Promise<Ran> {
  await using fixture = await startFixture('both')
  return await checkServer(fixture.url, revision)
}

async function ranThroughAggregate(revision: Revision): Promise<Ran> {
  const folder = await mkdtemp(join(tmpdir(), 'turnward-aggregate-'))
  const mounts = [{ path: folder, write: true }]
  const stdio = (name: string, ...args: readonly string[]): object => ({
    transport: 'stdio',
    command: ['node', installed(`@modelcontextprotocol/${name}/dist/index.js`), ...args],
    mounts,
  })
  try {
    return await ranThrough(revision, 'both', {
      files: stdio('server-filesystem', folder),
      memory: { ...stdio('server-memory'), env: { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') } },
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const key = 'tw_conformance_suite_00000000001'

/** The fixture in some eras, and other servers, behind one gateway. */
async function ranThrough(revision: Revision, eras: Eras, others: Readonly<Record<string, object>>): Promise<Ran> {
  await using fixture = await startFixture(eras)
  await using gateway = await startGateway({
    config: {
      principals: { suite: {} },
      keys: { suite: { principal: 'suite', secret: key } },
      grants: [{ principals: ['suite'], gateways: ['main'], tools: ['*'] }],
      servers: { fixture: { transport: 'http', url: fixture.url }, ...others },
      gateways: { main: { servers: ['fixture', ...Object.keys(others)] } },
      contracts: { '*': { output: { trust: 'trusted' } } },
    },
  })
  await serversReady(gateway.url)
  await using shim = await startShim(`${gateway.url}/mcp/main`, key)
  return await checkServer(shim.url, revision)
}
