/**
 * The lifetime of one started server, whichever runner started it: why it ended, and an end that leaves nothing
 * behind. It must never resolve `ended` while a process of the server can still run.
 */
import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from '../../core/logger.ts'
import type { RunningServer } from './runner.ts'

export interface Supervised {
  readonly server: string
  readonly child: ChildProcess & { readonly stdin: Writable; readonly stdout: Readable; readonly stderr: Readable; readonly pid: number }
  readonly logger: Logger
  /** Asks the server to end. */
  ask(): void
  /** Kills every process of the server. May be called again. */
  kill(): void
  /** True when no process of the server is left. */
  gone(): boolean
  /** Processes that were killed for memory. */
  memoryKills(): number
  readonly isBounded: boolean
  /** Removes what was made for this server. Called once, after `gone`. */
  cleanUp(): Promise<void>
}

const pollMs = 5
const longestKillMs = 10_000

/** Watches a started process until nothing of it is left. */
export function supervise(supervised: Supervised): RunningServer {
  const { child } = supervised
  // The connector sees a closed pipe through its own listeners; without one of ours an EPIPE would end the gateway.
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => {})
  const ended = new Promise<string>((resolve, reject) => {
    child.once('exit', (code, signal) => {
      const reason = endReason(code, signal, supervised.memoryKills() > 0)
      finish(supervised).then(() => resolve(reason), reject)
    })
  })
  let stopping: Promise<void> | undefined
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    pid: child.pid,
    isBounded: supervised.isBounded,
    ended,
    stop: (graceMs) => (stopping ??= stop(supervised, ended, graceMs)),
  }
}

/** Why a process ended: `exit 1`, `signal SIGKILL`, `memory limit`. */
export function endReason(code: number | null, signal: NodeJS.Signals | null, killedForMemory: boolean): string {
  // A sandbox reports the signal of its command the way a shell does: 128 + number.
  const name =
    signal ?? (code !== null && code > 128 ? Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0] : undefined)
  if (killedForMemory && name === 'SIGKILL') return 'memory limit'
  return name === undefined ? `exit ${code ?? 0}` : `signal ${name}`
}

/** A process by pid and start time, so that a pid the kernel gave to another program is not mistaken for it. */
export interface ProcessIdentity {
  readonly pid: number
  readonly startTime: string
}

/** The process that has this pid now; `undefined` when there is none or it is a zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the name in parentheses and may hold anything: count from the last one (proc_pid_stat(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : { pid, startTime: fields[19] ?? '' }
  } catch {
    return undefined
  }
}

export function isAlive(process: ProcessIdentity | undefined): boolean {
  return process !== undefined && identify(process.pid)?.startTime === process.startTime
}

/** Sends a signal, quietly when the process is gone. A negative pid is a process group. */
export function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // ESRCH: ended meanwhile.
  }
}

async function finish(supervised: Supervised): Promise<void> {
  const deadline = performance.now() + longestKillMs
  // Repeated because a process can fork between the kill and the look; a dying namespace ends that by itself.
  for (supervised.kill(); !supervised.gone(); supervised.kill()) {
    if (performance.now() > deadline) {
      supervised.logger.error({ server: supervised.server }, 'processes of an MCP server could not be killed')
      break
    }
    await wait(pollMs)
  }
  await supervised.cleanUp()
}

async function stop(supervised: Supervised, ended: Promise<string>, graceMs: number): Promise<void> {
  const { child } = supervised
  if (graceMs > 0) {
    // MCP 2025-11-25, lifecycle, stdio shutdown: close stdin, then SIGTERM, then SIGKILL.
    child.stdin.end()
    const closeMs = Math.min(graceMs / 2, 500)
    if (await endsWithin(ended, closeMs)) return
    supervised.ask()
    if (await endsWithin(ended, graceMs - closeMs)) return
  }
  supervised.kill()
  if (await endsWithin(ended, 1000)) return
  child.kill('SIGKILL')
  await ended
}

async function endsWithin(ended: Promise<string>, ms: number): Promise<boolean> {
  const timeout = new AbortController()
  try {
    return await Promise.race([ended.then(() => true), wait(ms, false, { signal: timeout.signal })])
  } finally {
    timeout.abort()
  }
}
