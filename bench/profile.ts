/**
 * Takes a CPU profile of the gateway, or of the bare proxy or hop, under one load and prints where the time goes:
 * `node bench/profile.ts json|sse|history|mcp [seconds] [gateway|bare|controlled|services|workers]` (with limits and a guard; over PostgreSQL and Redis; with two workers). For engineers; `npm run bench` does not use it.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildGateway, startGateway } from './gateway-under-test.ts'
import { runLoad, type LoadPlan } from './load.ts'
import { cpuMicrosOf, settleSelf, type MeasuredProcess } from './measured-process.ts'
import { costsOf, type Cost, type CpuProfile } from './profile-report.ts'
import { freshChats, toolCall } from './requests.ts'
import { growing } from './scenarios/model-calls.ts'
import { controlled } from './scenarios/traffic-control.ts'
import { startServices } from './services.ts'
import { inSources } from './source-places.ts'
import { startBareHop, startBareProxy, startMcpServer, startVendor } from './topology.ts'

interface Load {
  readonly connections: number
  readonly request: LoadPlan['request']
}

const loads: Readonly<Record<string, (at: 'gateway' | 'vendor') => Load>> = {
  json: (at) => ({ connections: 16, request: freshChats('bench-json', at, 16) }),
  sse: (at) => ({ connections: 64, request: freshChats('bench-sse', at, 64) }),
  history: (at) => ({ connections: 8, request: growing(8)(at) }),
  mcp: (at) => {
    const bytes = at === 'gateway' ? toolCall('/mcp/main', 'bench__lookup') : toolCall('/mcp', 'lookup')
    return { connections: 16, request: () => bytes }
  },
}

const [name = 'json', seconds = '6', target = 'gateway'] = process.argv.slice(2)
const load = loads[name]?.(target === 'bare' ? 'vendor' : 'gateway')
if (load === undefined) throw new Error(`choose one of ${Object.keys(loads).join(', ')}`)

const warmUpMs = 3000
if (target !== 'bare') buildGateway()
settleSelf()
const dir = await mkdtemp(join(tmpdir(), 'turnward-profile-'))
// However this ends, nothing stays behind.
process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
const vendor = await startVendor()
const server = await startMcpServer()
const nodeFlags = ['--cpu-prof', '--cpu-prof-interval=250', `--cpu-prof-dir=${dir}`]
const mcpServer = `${server.url}/mcp`
const startBare = (): Promise<MeasuredProcess> =>
  name === 'mcp' ? startBareHop(mcpServer, nodeFlags) : startBareProxy(vendor.url, nodeFlags)
const services = target === 'services' ? await startServices() : undefined
const past = {
  ...(services === undefined ? {} : { services }),
  workers: target === 'workers' ? 2 : 1,
  more: target === 'controlled' ? controlled : {},
}
const profiled = await (target === 'bare' ? startBare() : startGateway({ vendor: vendor.url, mcpServer, nodeFlags, ...past }))
await runLoad({ url: profiled.url, ...load, ms: warmUpMs })
const before = threadMicros(profiled.pid)
const result = await runLoad({ url: profiled.url, ...load, ms: Math.min(30, Number(seconds)) * 1000 })
const after = threadMicros(profiled.pid)
const perThread = [...after]
  .map(([thread, micros]) => ({ thread, micros: (micros - (before.get(thread) ?? 0)) / result.count }))
  .filter(({ micros }) => micros >= 1)
const total = perThread.reduce((sum, { micros }) => sum + micros, 0)
process.stdout.write(
  `${name} (${target}): ${result.count} calls, ${result.errors} errors, ${result.perSecond.toFixed(0)} calls/s, ${total.toFixed(0)} us CPU a call (profiler on)\n`,
)
for (const { thread, micros } of perThread) process.stdout.write(`${micros.toFixed(1).padStart(8)} us  ${thread}\n`)
await profiled.stop()
await Promise.all([vendor.stop(), server.stop(), services?.[Symbol.asyncDispose]()])
// One profile per thread: the main thread first, then the decision log and the store.
for (const file of (await readdir(dir)).toSorted()) {
  const costs = costsOf(
    inSources(JSON.parse(await readFile(join(dir, file), 'utf8')) as CpuProfile),
    profiled.startMs * 1000 + warmUpMs * 1000,
  )
  const perCall = costs.busyMicros / result.count
  process.stdout.write(`\n== ${file}: busy ${(costs.busyMicros / 1e6).toFixed(2)} s, ${perCall.toFixed(0)} us a call\n`)
  for (const [title, list, count] of [
    ['own time', costs.own, 45],
    ['inclusive', costs.inclusive, 90],
    ['files', costs.files, 40],
  ] as const) {
    process.stdout.write(
      `-- ${title}\n${list
        .slice(0, count)
        .map((cost) => line(cost, perCall))
        .join('')}`,
    )
  }
}
process.exit(0)

/** CPU so far of every thread of a process, by name and id. */
function threadMicros(pid: number): Map<string, number> {
  const folder = `/proc/${pid}/task`
  return new Map(
    readdirSync(folder).map((id) => [
      `${readFileSync(`${folder}/${id}/comm`, 'utf8').trim()} ${id}`,
      cpuMicrosOf(readFileSync(`${folder}/${id}/stat`, 'utf8')),
    ]),
  )
}

function line({ where, share }: Cost, perCall: number): string {
  return `${(share * 100).toFixed(1).padStart(5)} % ${(share * perCall).toFixed(1).padStart(7)} us  ${where}\n`
}
