/** A PostgreSQL and a Redis for the bench, with everything that a commit waits for switched on. */
import { readdirSync, readFileSync } from 'node:fs'
import { postgresPrograms, startPostgres } from '../scripts/services/postgres.ts'
import { redisProgram, startRedis } from '../scripts/services/redis.ts'
import { cpuMicrosOf } from './measured-process.ts'

export interface Services extends AsyncDisposable {
  readonly databaseUrl: string
  readonly stateUrl: string
  /** User and system time of all processes of both servers that live now, in microseconds. */
  cpuMicros(): number
}

/** Undefined where one of them cannot be had. */
export async function startServices(): Promise<Services | undefined> {
  if (postgresPrograms() === undefined || redisProgram() === undefined) return undefined
  const postgres = await startPostgres()
  const redis = await startRedis()
  return {
    databaseUrl: postgres.url(),
    stateUrl: redis.url,
    cpuMicros: () => [redis.pid, postgres.pid, ...childrenOf(postgres.pid)].reduce<number>((sum, pid) => sum + cpuOf(pid), 0),
    async [Symbol.asyncDispose]() {
      await postgres[Symbol.asyncDispose]()
      await redis[Symbol.asyncDispose]()
    },
  }
}

/** A process for each connection, and some of its own. */
function childrenOf(parent: number | undefined): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && / \S (\d+) /.exec(statOf(pid).replace(/^.*\)/, ''))?.[1] === String(parent))
}

function cpuOf(pid: number | undefined): number {
  const stat = statOf(pid)
  return stat === '' ? 0 : cpuMicrosOf(stat)
}

/** Empty when the process has ended. */
function statOf(pid: number | undefined): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return ''
  }
}
