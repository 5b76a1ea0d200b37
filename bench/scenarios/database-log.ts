/** A decision log of a million records in PostgreSQL: how fast it is written and verified, and how soon a gateway starts beside it. */
import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { benchClusterSecret, configOf, gatewayCommand, startGateway } from '../gateway-under-test.ts'
import { atLeast, atMost, skipped, type Row } from '../rows.ts'
import type { Scenario } from '../scenario.ts'
import { startServices } from '../services.ts'
import { median, round } from '../statistics.ts'
import { startVendor } from '../topology.ts'

const run = promisify(execFile)
const keys = 10_000
const filler = fileURLToPath(new URL('../servers/log-filler.ts', import.meta.url))

export const databaseLog: Scenario = {
  name: 'database-log',
  async run(bench) {
    const services = await startServices()
    if (services === undefined) return [skipped('decision log in PostgreSQL', 'records/s', 'PostgreSQL or Redis is not installed')]
    try {
      const records = bench.quick ? 100_000 : 1_000_000
      const vendor = await bench.keep(startVendor())
      const { stdout } = await run(process.execPath, [filler, services.databaseUrl, benchClusterSecret, String(records)])
      const { perSecond } = JSON.parse(stdout) as { perSecond: number }
      const client = new Client({ connectionString: services.databaseUrl })
      await client.connect()
      await client.query(
        `insert into virtual_keys (id, hash, prefix, principal, credentials, created)
         select 'vk_' || n, md5(n::text), 'tw_x', 'mara', '{}', 1 from generate_series(1, ${keys}) n`,
      )
      await client.end()
      const targets = { vendor: vendor.url, services }
      const starts: number[] = []
      for (let time = 0; time < 3; time += 1) {
        const gateway = await startGateway(targets)
        starts.push(gateway.startMs)
        await gateway.stop()
      }
      const verified = await verify(targets)
      const million = verified.seconds * (1_000_000 / records)
      const rows: Row[] = [
        atLeast('log in PostgreSQL: records a second, in batches', perSecond, 20_000, '1/s', `${records} records`),
        atMost('log in PostgreSQL: verifying 1,000,000 records', million, 60, 's', `${round(verified.seconds, 1)} s for ${records}`),
        atMost('log in PostgreSQL: memory to verify', verified.mb, 300, 'MB', `${records} records`),
        atMost('start over PostgreSQL', median(starts) / 1000, 1.5, 's', `${keys} keys, ${records} records`),
      ]
      return rows
    } finally {
      await services[Symbol.asyncDispose]()
    }
  },
}

/** `turnward audit verify`, with the most memory it had. */
async function verify(targets: Parameters<typeof configOf>[0]): Promise<{ readonly seconds: number; readonly mb: number }> {
  const { path, remove } = await configOf(targets)
  try {
    const began = performance.now()
    const [program = '', ...args] = gatewayCommand(['audit', 'verify', '--config', path])
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let most = 0
    const look = setInterval(() => (most = Math.max(most, peakOf(child.pid))), 50)
    const code = await new Promise((resolve) => child.once('exit', resolve))
    clearInterval(look)
    if (code !== 0) throw new Error(`audit verify ended with ${String(code)}`)
    return { seconds: (performance.now() - began) / 1000, mb: most / 1024 }
  } finally {
    await remove()
  }
}

function peakOf(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}
