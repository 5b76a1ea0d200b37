/** Whether sandboxes can be made on this machine, found by making one that does nothing. It changes nothing. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { seccompFilter, filteredArchitecture } from './seccomp-filter.ts'
import { findProgram } from './server-command.ts'

/** What a sandbox stands on, in the order in which each needs the one before. */
export type SandboxPart = 'system' | 'bubblewrap' | 'util-linux' | 'namespaces' | 'seccomp'

export interface SandboxProblem {
  readonly part: SandboxPart
  /** What is missing, and what to do. */
  readonly why: string
}

const probeTimeoutMs = 10_000

/** The first thing that is missing; `undefined` when a sandbox of each kind this gateway uses can be made. */
export async function probeSandbox(): Promise<SandboxProblem | undefined> {
  if (process.platform !== 'linux') return { part: 'system', why: 'bubblewrap needs Linux' }
  const bwrap = findProgram('bwrap')
  if (bwrap === undefined) return { part: 'bubblewrap', why: 'bubblewrap is not installed (`apt-get install bubblewrap`)' }
  for (const program of ['prlimit', 'setpriv'])
    if (findProgram(program) === undefined) return { part: 'util-linux', why: `\`${program}\` is not installed (package util-linux)` }
  const isolated = ['--unshare-all', '--unshare-user', '--disable-userns', '--die-with-parent']
  const filesystem = ['--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev', '--', findProgram('true') ?? '/bin/true']
  const unmade = await failureOf(bwrap, [...isolated, ...filesystem])
  if (unmade !== undefined) {
    const hint =
      "are user namespaces allowed, for example `kernel.apparmor_restrict_unprivileged_userns` or the container's seccomp profile?"
    return { part: 'namespaces', why: `bubblewrap cannot make a sandbox here: ${unmade} (${hint})` }
  }
  const architecture = filteredArchitecture(process.arch)
  if (architecture === undefined) return { part: 'seccomp', why: `there is no system call filter for this processor (${process.arch})` }
  const filter = seccompFilter({ architecture, browser: false, memoryByCgroup: true })
  const unfiltered = await failureOf(bwrap, ['--seccomp', '3', ...isolated, ...filesystem], filter)
  if (unfiltered === undefined) return undefined
  return { part: 'seccomp', why: `the kernel takes no system call filter: ${unfiltered} (CONFIG_SECCOMP_FILTER is needed)` }
}

/** Runs it to its end: what it complained of, or `undefined` when it was content. */
async function failureOf(program: string, args: readonly string[], input?: Buffer): Promise<string | undefined> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: {},
    timeout: probeTimeoutMs,
    killSignal: 'SIGKILL',
  })
  let complaint = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(0, 4096)))
  const extra = child.stdio[3] as Writable
  extra.on('error', () => {})
  extra.end(input)
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return code === 0 ? undefined : (complaint.split('\n')[0]?.slice(0, 200) ?? '')
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
