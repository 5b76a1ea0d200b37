/**
 * Starts one process to measure and reads what the kernel counted for it. Never leaves a process behind: whoever
 * starts one disposes of it, and the end of the bench kills the rest.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, setPriority } from 'node:os'

/** The process under test has a core of its own where there are two; all others share the other one. `any`: where nothing is timed. */
export type Core = 'tested' | 'others' | 'any'

export interface MeasuredProcess {
  readonly url: string
  readonly pid: number
  /** From spawn to the line that says ready. */
  readonly startMs: number
  /** User and system time of all its threads and of the processes it has started so far, in microseconds. The kernel counts in steps of 10 ms. */
  cpuMicros(): number
  /** Resident memory now, of these processes together; what they share is counted for each. */
  rssBytes(): number
  /** SIGTERM, then SIGKILL when it does not end in time. */
  stop(): Promise<void>
}

export interface StartOptions {
  readonly command: readonly string[]
  readonly core: Core
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Asked instead of waiting for `{"event":"ready","url":…}`: resolves once the process answers. */
  readonly ready?: () => Promise<string>
  /** Half a minute unless something else is said: where nothing is timed, other work may have the processors. */
  readonly deadlineMs?: number
}

const startDeadlineMs = 30_000
const stopDeadlineMs = 10_000
const ticksPerSecond = 100
const running = new Set<ChildProcess>()
const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0

/** Other work on the machine should not decide about a number; only an administrator may raise a priority. */
const raisedPriority = -10
const canPrioritise = process.getuid?.() === 0

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

/** What this machine lets us do for steady numbers, as a sentence. */
export const conditions = [
  canPin ? 'The process under test has core 0; load and upstreams share core 1.' : 'Processes are not pinned to cores here.',
  ...(canPrioritise ? ['All of them run at a raised priority.'] : []),
].join(' ')

/** Moves this process, which makes the load, off the core of the process under test. What it starts inherits its priority. */
export function settleSelf(): void {
  if (canPin) spawnSync('taskset', ['-a', '-cp', '1', String(process.pid)], { stdio: 'ignore' })
  if (canPrioritise) setPriority(raisedPriority)
}

/** Starts it and resolves when it says that it is ready. Rejects with what it wrote to standard error. */
export async function startProcess(options: StartOptions): Promise<MeasuredProcess> {
  const pin = canPin && options.core !== 'any' ? ['taskset', '-c', options.core === 'tested' ? '0' : '1'] : []
  const [program = '', ...args] = [...pin, ...options.command]
  const began = performance.now()
  const child = spawn(program, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', NODE_ENV: 'production', ...options.env },
    // Our own children end when their standard input does, so that a killed bench leaves none of them.
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  running.add(child)
  const ended = new Promise<void>((resolve) => child.once('close', () => (running.delete(child), resolve())))
  try {
    const url = await within(options.deadlineMs ?? startDeadlineMs, readiness(child, options.ready))
    return measured(child, url, performance.now() - began, ended)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

function measured(child: ChildProcess, url: string, startMs: number, ended: Promise<void>): MeasuredProcess {
  const pid = child.pid ?? 0
  return {
    url,
    pid,
    startMs,
    cpuMicros: () => sumOf(processesFrom(pid), (one) => cpuMicrosOf(readFileSync(`/proc/${one}/stat`, 'utf8'))),
    rssBytes: () => sumOf(processesFrom(pid), (one) => rssOf(readFileSync(`/proc/${one}/status`, 'utf8'))),
    async stop() {
      child.kill('SIGTERM')
      const force = setTimeout(() => child.kill('SIGKILL'), stopDeadlineMs)
      await ended
      clearTimeout(force)
    },
  }
}

/** The process and those it has started. */
function processesFrom(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  return [pid, ...children.map(Number).flatMap(processesFrom)]
}

const sumOf = (pids: readonly number[], read: (pid: number) => number): number => pids.reduce((sum, pid) => sum + read(pid), 0)

const rssOf = (status: string): number => Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024

/** utime + stime (fields 14 and 15 of proc_pid_stat(5)). The command name may hold blanks and brackets, so fields count from its end. */
export function cpuMicrosOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / ticksPerSecond
}

function readiness(child: ChildProcess, ask: (() => Promise<string>) | undefined): Promise<string> {
  let output = ''
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4000)))
  const said = new Promise<string>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (output.length > 100_000) return
      output += text
      const line = output
        .slice(0, output.lastIndexOf('\n') + 1)
        .split('\n')
        .find((one) => one.includes('"event":"ready"'))
      if (line !== undefined) resolve((JSON.parse(line) as { url: string }).url)
    })
    child.once('error', reject)
    child.once('close', (code) => reject(new Error(`${child.spawnargs.join(' ')} ended with ${code}: ${errors}`)))
  })
  return ask === undefined ? said : Promise.race([said, ask()])
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready after ${ms} ms`)), ms)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
