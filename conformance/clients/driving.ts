/** One scenario with one client: a fresh home, project, mock model and gateway; the client runs to its end and leaves a trace. */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Client, Place, Start } from './client.ts'
import { installed, serversReady } from '../mcp/upstream-servers.ts'
import { startMockModel, type MockModel } from './mock-model/server.ts'
import { filesOf, words, type Ran } from './ran.ts'
import { upstreams, type UpstreamName } from './upstreams.ts'
import type { Scenario } from './scenarios.ts'

const key = 'tw_clients_00000000000000000001'
const longestMs = 120_000

// Long enough to be known again when a summary repeats it.
const passage =
  'The harbour master keeps two ledgers: a green one for the boats that left before dawn, and a grey one for those that nobody saw leave at all.'

/** Runs the scenario; `command` is the client's program, `upstream` what its model speaks. */
export async function drive(client: Client, scenario: Scenario, command: string, upstream: UpstreamName): Promise<Ran> {
  const base = await mkdtemp(join(tmpdir(), 'turnward-clients-'))
  const [home, project, notes] = [join(base, 'home'), join(base, 'project'), join(base, 'notes')]
  const file = join(project, 'README.md')
  try {
    for (const folder of [home, project, notes]) await mkdir(folder)
    await writeFile(file, `# Demo\nThe secret word is ${words.before}.\n${passage}\n`)
    await writeFile(join(notes, 'todo.txt'), `Buy ${words.note}.\n`)
    await using mock = await startMockModel()
    await using gateway = await startGateway({ config: configuration(client, scenario, upstream, mock, notes) })
    await serversReady(gateway.url)
    const modelUrl = client.governed === 'tools' ? mock.url : gateway.url
    const runs: Ended[] = []
    for (const { prompt, conversation } of scenario.runs(client, file)) {
      const place: Place = { home, project, file, modelUrl, mcpUrl: `${gateway.url}/mcp/main`, key, prompt }
      const flags = conversation === 'new' ? [] : (client.flags?.[conversation] ?? [])
      runs.push(await runClient(command, client.start(place), flags, place))
    }
    const ended = { code: runs.find(({ code }) => code !== 0)?.code ?? 0, output: runs.at(-1)?.output ?? '' }
    return {
      ...ended,
      results: mock.results(),
      summaries: mock.summaries(),
      project: await filesOf(project),
      notes: await filesOf(notes),
      refused: await refusedCalls(gateway),
      undescribed: await undescribedTools(
        gateway,
        mock.offered().filter((name) => name !== client.callThrough),
      ),
      turn: (await gateway.cli(['turns', 'show', 'last'])).stdout,
    }
  } finally {
    await rm(base, { recursive: true, force: true })
  }
}

function configuration(client: Client, scenario: Scenario, upstream: UpstreamName, mock: MockModel, notes: string): object {
  return {
    credentials: { mock: { secret: 'not-a-secret' } },
    upstreams: Object.fromEntries(
      Object.entries(upstreams).map(([name, { kind, path, ...more }]) => [
        name,
        { kind, base_url: `${mock.url}${path}`, credential: 'mock', ...more },
      ]),
    ),
    routes: [{ model: '*', upstreams: [upstream === 'own' ? client.speaks : upstream] }],
    principals: { me: {} },
    keys: { dev: { principal: 'me', consumer: 'laptop', secret: key } },
    grants: [{ principals: ['me'], models: ['*'], gateways: ['*'], tools: ['*'] }],
    servers: {
      notes: {
        transport: 'stdio',
        command: ['node', installed('@modelcontextprotocol/server-filesystem/dist/index.js'), notes],
        mounts: [{ path: notes, write: true }],
      },
    },
    gateways: { main: { servers: ['notes'] } },
    ...scenario.policy(client),
  }
}

async function refusedCalls(gateway: RunningGateway): Promise<Ran['refused']> {
  const records = await gateway.turnRecords()
  return records.filter(({ type, action }) => type === 'decision' && action === 'refuse')
}

// By exact name: a pattern for everything would describe nothing in particular.
async function undescribedTools(gateway: RunningGateway, offered: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await gateway.cli(['policy', 'show', '--effective', '--json'])
  const { contracts } = JSON.parse(stdout) as { readonly contracts: readonly { readonly pattern: string }[] }
  const described = new Set(contracts.map(({ pattern }) => pattern))
  return offered.filter((name) => !described.has(name) && !name.includes('notes__'))
}

interface Ended {
  readonly code: number | null
  readonly output: string
}

async function runClient(
  command: string,
  { args, env, files = {} }: Start,
  flags: readonly string[],
  { home, project }: Place,
): Promise<Ended> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text, { mode: 0o600 })
  }
  const path = [dirname(process.execPath), process.env.PATH ?? ''].join(delimiter)
  // Nothing of the caller's own environment: a client must not find credentials that were not meant for it.
  const seen = {
    PATH: path,
    HOME: home,
    TMPDIR: tmpdir(),
    LANG: 'C.UTF-8',
    DO_NOT_TRACK: '1',
    OTEL_SDK_DISABLED: 'true',
    NO_UPDATE_NOTIFIER: '1',
    NO_COLOR: '1',
    ...env,
  }
  // A group of its own, so that what the client started ends with it.
  const child = spawn(command, [...args, ...flags], { cwd: project, env: seen, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output = `${output}${text}`.slice(-200_000)))
  const endGroup = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }
  const deadline = setTimeout(endGroup, longestMs)
  process.once('exit', endGroup)
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', resolve)
    })
    return { code, output }
  } finally {
    clearTimeout(deadline)
    process.off('exit', endGroup)
    endGroup()
  }
}
