/**
 * The runner without a sandbox: an ordinary process of the gateway's user, for servers the administrator trusts
 * and has said so. It still clears the environment, bounds what it can and leaves no process behind; with
 * `nodePermissions` a Node server is held by Node's own permission model, a guard rail and not a wall.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { lstatSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { TurnwardError } from '../../core/error.ts'
import { detectCgroups, type Cgroup, type CgroupSupport } from './cgroup.ts'
import type { LimitWatch } from './limit-watch.ts'
import {
  boundByCgroup,
  boundByWatching,
  canBeWatched,
  memoryBytes,
  prlimitOptions,
  stdioConfig,
  type StdioConfig,
} from './resource-limits.ts'
import type { Runner, RunnerOptions } from './runner.ts'
import { identify, isAlive, signalQuietly, supervise } from './running-process.ts'
import { checkMounts } from './sandbox-mounts.ts'
import { findProgram, programPath, resolveCommand, type ServerCommand } from './server-command.ts'
import { makeWorkFolder, removeWorkFolder, workNames } from './work-folder.ts'

export interface ProcessRunnerOptions {
  /** Run Node scripts under `--permission`, with only their code and mounts readable. Other programs are refused. */
  readonly nodePermissions: boolean
  /** The gateway's own Node; `process.execPath` unless told otherwise. */
  readonly nodePath?: string | undefined
  readonly gatewayRoot?: string | undefined
  readonly protect?: readonly string[] | undefined
  /** Finds the cgroups that can be used; those of this machine unless told otherwise. */
  readonly cgroups?: (() => CgroupSupport | undefined) | undefined
}

/** Groups still running, killed when the gateway exits in an orderly way; `--pdeathsig` covers a crash. */
const groups = new Set<number>()
let watching = false

/** A runner that isolates nothing (see above). Errors of `start`: `mcp.server_unavailable`, `sandbox.unavailable`, `config.invalid`. */
export function createProcessRunner(options: ProcessRunnerOptions): Runner {
  let cgroups: CgroupSupport | undefined | 'unknown' = 'unknown'
  const support = () => (cgroups === 'unknown' ? (cgroups = (options.cgroups ?? detectCgroups)()) : cgroups)
  return {
    name: 'process',
    available: async () => undefined,
    describe: (runnerOptions) => commandLine(options, runnerOptions, support() !== undefined),
    start: (runnerOptions) => startProcess(options, runnerOptions, support()),
  }
}

function commandLine(options: ProcessRunnerOptions, { server, workDir }: RunnerOptions, memoryByCgroup: boolean): string[] {
  const config = stdioConfig(server.name, server.config)
  const protect = [...(options.protect ?? []), workDir]
  const command = resolveCommand(
    server.name,
    config.command,
    {
      nodePath: options.nodePath ?? process.execPath,
      gatewayRoot: options.gatewayRoot,
      protect,
    },
    config.runtime,
  )
  const prlimit = findProgram('prlimit')
  const setpriv = findProgram('setpriv')
  return [
    // No process limit: without a namespace the kernel would count every program of this user.
    ...(prlimit === undefined ? [] : [prlimit, ...prlimitOptions({ limits: config.limits, memoryByCgroup, processes: undefined }), '--']),
    ...(setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL', '--']),
    command.executable,
    ...(options.nodePermissions ? permissionFlags(server.name, config, command, protect, workDir) : []),
    ...command.args,
  ]
}

function permissionFlags(
  server: string,
  config: StdioConfig,
  command: ServerCommand,
  protect: readonly string[],
  workDir: string,
): string[] {
  if (!command.isNode || command.script === undefined) {
    throw new TurnwardError('sandbox.unavailable', {
      subject: server,
      why: 'without a sandbox only Node scripts can be held back, and this command is not one',
    })
  }
  const mounts = checkMounts(server, config.mounts, protect)
  const home = join(workDir, workNames.home)
  const readable = [
    ...command.code.filter((path) => !lstatSync(path).isSymbolicLink()),
    home,
    ...mounts.flatMap(({ source, target }) => [source, target]),
  ]
  const writable = [home, ...mounts.filter(({ write }) => write).flatMap(({ source, target }) => [source, target])]
  return [
    '--permission',
    ...[...new Set(readable)].map((path) => `--allow-fs-read=${path}`),
    ...[...new Set(writable)].map((path) => `--allow-fs-write=${path}`),
  ]
}

async function startProcess(
  options: ProcessRunnerOptions,
  runnerOptions: RunnerOptions,
  cgroups: CgroupSupport | undefined,
): ReturnType<Runner['start']> {
  const { server, workDir, logger } = runnerOptions
  const config = stdioConfig(server.name, server.config)
  const [executable = '', ...args] = commandLine(options, runnerOptions, cgroups !== undefined)
  logger.warn({ server: server.name, nodePermissions: options.nodePermissions }, 'this MCP server runs without a sandbox')
  const home = join(workDir, workNames.home)
  let cgroup: Cgroup | undefined
  let watch: LimitWatch | undefined
  let child: ChildProcess | undefined
  const cleanUp = async () => {
    if (child?.pid !== undefined) groups.delete(child.pid)
    watch?.stop()
    cgroup?.remove()
    await removeWorkFolder(workDir)
  }
  try {
    await makeWorkFolder(workDir)
    await mkdir(home, { mode: 0o700 })
    // Here the program runs as soon as it is started, so what would refuse it comes before.
    if (cgroups === undefined) canBeWatched(server.name, config.limits, process.pid)
    cgroup = cgroups?.create(server.name, { memoryBytes: memoryBytes(config.limits), processes: config.limits.processes + 2 })
    const env = { PATH: programPath, HOME: home, TMPDIR: home, LANG: 'C.UTF-8', ...config.env }
    child = spawn(executable, args, { stdio: ['pipe', 'pipe', 'pipe'], env, cwd: home, detached: true })
    const failed = new Promise<never>((_, reject) => child?.once('error', reject))
    const spawned = new Promise<void>((resolve) => child?.once('spawn', resolve))
    // Before the first tick in which the program could start children of its own.
    if (child.pid !== undefined) cgroup?.add(child.pid)
    await Promise.race([spawned, failed])
    const pid = child.pid ?? 0
    const leader = identify(pid)
    groups.add(pid)
    watchExit()
    const members = () => cgroup?.members() ?? []
    const kill = (): void => {
      signalQuietly(-pid, 'SIGKILL')
      // Descendants that left the process group are still in the cgroup.
      for (const member of members()) signalQuietly(member, 'SIGKILL')
    }
    // Without a namespace, what has detached itself from the tree is not seen: this runner is for servers that are trusted.
    if (cgroup === undefined && leader !== undefined)
      watch = boundByWatching(server.name, config.limits, pid, { memoryBytes: 0, processes: 0 }, logger, kill)
    if (cgroup !== undefined) watch = boundByCgroup(server.name, config.limits, cgroup, logger, kill)
    return supervise({
      server: server.name,
      logger,
      child: child as Parameters<typeof supervise>[0]['child'],
      ask: () => signalQuietly(-pid, 'SIGTERM'),
      kill,
      gone: () => !isAlive(leader) && !groupExists(pid) && members().length === 0,
      memoryKills: () => cgroup?.memoryKills() ?? watch?.memoryKills() ?? 0,
      isBounded: cgroup !== undefined || watch !== undefined || leader === undefined,
      cleanUp,
    })
  } catch (error) {
    child?.kill('SIGKILL')
    await cleanUp()
    if (error instanceof TurnwardError) throw error
    throw new TurnwardError('mcp.server_unavailable', { subject: server.name, why: 'the process could not be started', cause: error })
  }
}

function groupExists(pid: number): boolean {
  try {
    process.kill(-pid, 0)
    return true
  } catch {
    return false
  }
}

function watchExit(): void {
  if (watching) return
  watching = true
  process.on('exit', () => {
    for (const pid of groups) signalQuietly(-pid, 'SIGKILL')
  })
}
