/** `turnward servers restart`: asks every process of the gateways on this configuration to end a server and start it anew. */
import { userInfo } from 'node:os'
import { loadConfig } from '../../config/load.ts'
import { systemClock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import type { RestartOutcome } from '../../store/restarts.ts'
import { exitCodes } from '../exit-codes.ts'
import { noteAct } from '../noting-act.ts'
import { fail, print, type OutputOptions } from '../output.ts'
import { withStore } from './known-server-tools.ts'
import { longestRestartMs, requestRestart } from './requesting-restart.ts'
import { serverNamed } from './written-entry.ts'

export interface RestartOptions extends OutputOptions {
  readonly config: string
  readonly by?: string
}

export async function restartServer(name: string, options: RestartOptions): Promise<void> {
  try {
    const snapshot = await loadConfig(options.config, process.env)
    serverNamed(snapshot, name)
    const by = options.by ?? `${userInfo().username} (turnward servers restart)`
    const processes = await withStore(snapshot, async (store) => {
      if (store === undefined) throw nobodyRuns()
      await noteAct(store, { verb: 'turnward servers restart', by, act: 'servers.restart', subject: name, reason: `Restarts ${name}.` })
      const outcomes = await requestRestart(store.restarts, { server: name, asked: systemClock.now(), by }, longestRestartMs)
      if (outcomes === undefined) throw nobodyRuns()
      return outcomes
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

function nobodyRuns(): TurnwardError {
  return new TurnwardError('mcp.server_unavailable', {
    why: 'no gateway that runs on this configuration has answered',
    fix: 'Start one: `turnward start`. It starts its servers itself.',
  })
}
