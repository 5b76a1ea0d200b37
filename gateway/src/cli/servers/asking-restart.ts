/** `turnward servers restart`: asks every process of the gateways on this configuration to end a server and start it anew. */
import { userInfo } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { loadConfig } from '../../config/load.ts'
import { systemClock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { randomText } from '../../core/ids.ts'
import type { RestartOutcome, RestartTable } from '../../store/restarts.ts'
import { exitCodes } from '../exit-codes.ts'
import { noteAct } from '../noting-act.ts'
import { fail, print, type OutputOptions } from '../output.ts'
import { lookEveryMs } from '../each-second.ts'
import { withStore } from './known-server-tools.ts'
import { serverNamed } from './written-entry.ts'

export interface RestartOptions extends OutputOptions {
  readonly config: string
  readonly by?: string
}

/** Whoever runs has begun by then, unless the machine has much else to do. */
const noticedMs = 10 * lookEveryMs
/** After the first one has begun: others of the same gateway have begun as well. */
const togetherMs = 3 * lookEveryMs
const lookMs = 100
/** The longest a server may take to start, and one that hangs to end. */
const longestMs = 90_000

export async function restartServer(name: string, options: RestartOptions): Promise<void> {
  try {
    const snapshot = await loadConfig(options.config, process.env)
    serverNamed(snapshot, name)
    const by = options.by ?? `${userInfo().username} (turnward servers restart)`
    const processes = await withStore(snapshot, async (store) => {
      if (store === undefined) throw nobodyRuns()
      const id = `restart_${randomText(16)}`
      await noteAct(store, { verb: 'turnward servers restart', by, act: 'servers.restart', subject: name, reason: `Restarts ${name}.` })
      await store.restarts.ask({ id, server: name, asked: systemClock.now(), by })
      return watched(store.restarts, id)
    })
    const ok = processes.every(({ outcome }) => outcome === 'ready')
    const lines = processes.map(({ process: where, outcome }) => `${where}: ${outcome ?? 'it has not started yet'}`)
    print(options, { server: name, by, ok, processes: processes.map(told) }, lines.join('\n'))
    if (!ok) process.exitCode = exitCodes.negative
  } catch (error) {
    fail(options, error)
  }
}

function told({ process: where, outcome }: RestartOutcome) {
  return { process: where, outcome: outcome ?? null }
}

/** What became of it, once everybody who has begun has ended. Rejects when nobody begins. */
async function watched(restarts: RestartTable, id: string): Promise<readonly RestartOutcome[]> {
  const start = performance.now()
  let begun: number | undefined
  for (;;) {
    await pause(lookMs)
    const now = performance.now()
    const outcomes = await restarts.outcomes(id)
    if (outcomes.length > 0) begun ??= now
    if (begun === undefined && now - start > noticedMs && (await restarts.withdraw(id))) throw nobodyRuns()
    const isOver = outcomes.every(({ outcome }) => outcome !== undefined)
    if (begun !== undefined && (now - start > longestMs || (isOver && now - begun > togetherMs))) return outcomes
  }
}

function nobodyRuns(): TurnwardError {
  return new TurnwardError('mcp.server_unavailable', {
    why: 'no gateway that runs on this configuration has answered',
    fix: 'Start one: `turnward start`. It starts its servers itself.',
  })
}
