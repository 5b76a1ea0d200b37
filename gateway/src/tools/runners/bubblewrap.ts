/**
 * The default runner: a server in its own namespaces with bubblewrap. No network, no host files but its own code
 * and what was mounted, no environment but what was listed, bounded memory and processes. If any part of that
 * cannot be set up the server is not started.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import type { Duplex, Readable, Writable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { compileEgressRules } from '../../config/egress-rules.ts'
import { TurnwardError } from '../../core/error.ts'
import { detectCgroups, type Cgroup, type CgroupSupport } from './cgroup.ts'
import { startEgress, type Egress } from './egress.ts'
import { findHome, makeHome } from './kept-home.ts'
import type { LimitWatch } from './limit-watch.ts'
import { refusedHostsFile } from './refused-hosts-file.ts'
import { boundByCgroup, boundByWatching, memoryBytes, prlimitOptions, stdioConfig, type StdioConfig } from './resource-limits.ts'
import type { Runner, RunnerOptions, RunningServer } from './runner.ts'
import { identify, isAlive, signalQuietly, supervise, type ProcessIdentity } from './running-process.ts'
import { sandboxCommand, sandboxHome, type SandboxPlan } from './sandbox-arguments.ts'
import { checkMounts } from './sandbox-mounts.ts'
import { sandboxNetwork } from './sandbox-network.ts'
import { probeSandbox } from './sandbox-probe.ts'
import { chooseSandboxUser } from './sandbox-user.ts'
import { filteredArchitecture, seccompFilter } from './seccomp-filter.ts'
import { findProgram, mustBeRead, programPath, resolveCommand } from './server-command.ts'
import { makeWorkFolder, removeWorkFolder, workNames } from './work-folder.ts'

export interface BubblewrapOptions {
  /** The gateway's own Node (`process.execPath`); what `node` means in a command. */
  readonly nodePath: string
  /** Folder of the gateway's code, for servers it ships itself. */
  readonly gatewayRoot?: string | undefined
  /** Absolute paths no server may see: the data folder and configuration files. `workDir` is always one of them. */
  readonly protect?: readonly string[] | undefined
  /** Time zone of the gateway where it has another than the host. */
  readonly timeZone?: string | undefined
  /** Finds the cgroups that can be used; those of this machine unless told otherwise. */
  readonly cgroups?: (() => CgroupSupport | undefined) | undefined
}

/** Threads of the forwarder count as processes of the sandbox; so does the sandbox's own init. */
const forwarderProcesses = 16
const forwarderMemory = 96 * 1024 * 1024
const startTimeoutMs = 10_000
const forwarderFile = fileURLToPath(new URL(`./egress-forwarder${extname(import.meta.url)}`, import.meta.url))

/** A runner that starts servers with bubblewrap (Linux). Errors of `start`: `sandbox.unavailable`, `mcp.server_unavailable`, `config.invalid`. */
export function createBubblewrapRunner(options: BubblewrapOptions): Runner {
  let checked: Promise<string | undefined> | undefined
  let cgroups: CgroupSupport | undefined | 'unknown' = 'unknown'
  const support = () => (cgroups === 'unknown' ? (cgroups = (options.cgroups ?? detectCgroups)()) : cgroups)
  return {
    name: 'bubblewrap',
    available: () => (checked ??= whatIsMissing()),
    describe: (runnerOptions) => {
      const { plan, release } = planSandbox(options, runnerOptions, support() !== undefined)
      release()
      return sandboxCommand(plan)
    },
    start: async (runnerOptions) => {
      const problem = await (checked ??= whatIsMissing())
      if (problem !== undefined) throw new TurnwardError('sandbox.unavailable', { subject: runnerOptions.server.name, why: problem })
      return startSandbox(options, runnerOptions, support())
    },
  }
}

const whatIsMissing = async () => (await probeSandbox())?.why

function planSandbox(
  options: BubblewrapOptions,
  { server, workDir }: RunnerOptions,
  memoryByCgroup: boolean,
): { readonly plan: SandboxPlan; readonly config: StdioConfig; readonly release: () => void } {
  const config = stdioConfig(server.name, server.config)
  const protect = [
    ...new Set([...(options.protect ?? []), workDir].flatMap((path) => (existsSync(path) ? [path, realpathSync(path)] : [path]))),
  ]
  const command = resolveCommand(
    server.name,
    config.command,
    { nodePath: options.nodePath, gatewayRoot: options.gatewayRoot, protect },
    config.runtime,
  )
  const mounts = checkMounts(server.name, config.mounts, protect)
  const gatewayUid = process.getuid?.() ?? 1000
  const home = config.home === 'keep' ? findHome(server.name, workDir, gatewayUid) : undefined
  const { user, isCountable, release } = chooseSandboxUser(gatewayUid, mounts, mustBeRead(command), home)
  const networked = config.network.length > 0
  const processes = isCountable ? config.limits.processes + 1 + (networked ? forwarderProcesses : 0) : undefined
  const plan: SandboxPlan = {
    bwrap: findProgram('bwrap') ?? 'bwrap',
    prlimit: findProgram('prlimit') ?? 'prlimit',
    setpriv: findProgram('setpriv') ?? 'setpriv',
    nodePath: realpathSync(options.nodePath),
    command,
    mounts,
    user,
    protect,
    etcFolder: join(workDir, workNames.etc),
    limitOptions: prlimitOptions({ limits: config.limits, memoryByCgroup, processes }),
    tmpBytes: config.limits.file_mb * 1024 * 1024,
    home,
    browser: config.runtime === 'browser',
    egress: networked
      ? {
          folder: join(workDir, workNames.egress),
          forwarder: forwarderFile,
          network: sandboxNetwork(compileEgressRules(server.name, config.network).forwards),
        }
      : undefined,
  }
  return { plan, config, release }
}

async function startSandbox(
  options: BubblewrapOptions,
  runnerOptions: RunnerOptions,
  cgroups: CgroupSupport | undefined,
): Promise<RunningServer> {
  const { server, workDir, logger } = runnerOptions
  const { plan, config, release } = planSandbox(options, runnerOptions, cgroups !== undefined)
  const networked = plan.egress !== undefined
  const extra = networked ? { memoryBytes: forwarderMemory, processes: forwarderProcesses } : { memoryBytes: 0, processes: 0 }
  let cgroup: Cgroup | undefined
  let watch: LimitWatch | undefined
  let egress: Egress | undefined
  let child: ChildProcess | undefined
  const cleanUp = async () => {
    release()
    watch?.stop()
    await egress?.close()
    if (cgroup !== undefined && !(await removed(cgroup)))
      logger.warn({ server: server.name }, 'the cgroup of an MCP server could not be removed')
    await removeWorkFolder(workDir)
  }
  try {
    await writeWorkDir(workDir, plan)
    if (plan.home !== undefined) makeHome(server.name, plan.home, plan.user, process.getuid?.() ?? 1000)
    if (plan.egress !== undefined)
      egress = await startEgress({
        server: server.name,
        network: config.network,
        folder: plan.egress.folder,
        refusedFile: refusedHostsFile(dirname(workDir), server.name),
        logger,
      })
    cgroup = cgroups?.create(server.name, {
      memoryBytes: memoryBytes(config.limits) + extra.memoryBytes,
      processes: config.limits.processes + 2 + extra.processes,
    })
    const [bwrap = '', ...args] = sandboxCommand(plan)
    child = spawn(bwrap, ['--info-fd', '3', '--block-fd', '4', '--args', '5', '--seccomp', '6', ...args], {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
      env: {},
      cwd: '/',
    })
    const init = await releaseWhenBounded(
      child,
      sandboxEnvironment(config, options.timeZone),
      filterOf(plan, cgroup !== undefined),
      (first) => {
        cgroup?.add(first.pid)
        // Every process of the namespace is below its first one, also those whose parents have ended.
        const kill = () => killIfAlive(first)
        watch =
          cgroup === undefined
            ? boundByWatching(server.name, config.limits, first.pid, extra, logger, kill)
            : boundByCgroup(server.name, config.limits, cgroup, logger, kill)
      },
    )
    return supervise({
      server: server.name,
      logger,
      child: child as Parameters<typeof supervise>[0]['child'],
      ask: () => childrenOf(init.pid).forEach((pid) => signalQuietly(pid, 'SIGTERM')),
      // The first process of the pid namespace: the kernel kills all others with it.
      kill: () => killIfAlive(init),
      gone: () => !isAlive(init) && (cgroup?.members().length ?? 0) === 0,
      memoryKills: () => cgroup?.memoryKills() ?? watch?.memoryKills() ?? 0,
      isBounded: cgroup !== undefined || watch !== undefined,
      cleanUp,
    })
  } catch (error) {
    if (child !== undefined) await killed(child)
    await cleanUp()
    if (error instanceof TurnwardError) throw error
    logger.error({ server: server.name, error }, 'the sandbox of an MCP server could not be set up')
    throw new TurnwardError('sandbox.unavailable', { subject: server.name, why: 'the sandbox could not be set up', cause: error })
  }
}

/** The program the kernel runs before every system call of the server. Without one nothing is started. */
function filterOf({ browser }: SandboxPlan, memoryByCgroup: boolean): Buffer {
  const architecture = filteredArchitecture(process.arch)
  if (architecture === undefined) throw new Error(`there is no system call filter for this processor (${process.arch})`)
  return seccompFilter({ architecture, browser, memoryByCgroup })
}

function killIfAlive(first: ProcessIdentity): void {
  if (isAlive(first)) signalQuietly(first.pid, 'SIGKILL')
}

/**
 * Bubblewrap tells the pid of the sandbox and then waits; only when that process is bounded may it go on.
 * So no program of the server ever runs unbounded.
 */
async function releaseWhenBounded(
  child: ChildProcess,
  environment: Readonly<Record<string, string>>,
  filter: Buffer,
  bound: (first: ProcessIdentity) => void,
): Promise<ProcessIdentity> {
  type Streams = [Writable, Readable, Readable, Readable, Duplex, Duplex, Duplex]
  const [stdin, stdout, stderr, info, gate, args, seccomp] = child.stdio as unknown as Streams
  for (const stream of [stdin, stdout, stderr, info, gate, args, seccomp]) stream.on('error', () => {})
  seccomp.end(filter)
  // Over a file descriptor: values on a command line can be read by every user of the host.
  const settings = Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value])
  args.end(`${['--clearenv', ...settings].join('\0')}\0`)
  const pid = await sandboxPid(child, info, stderr)
  const init = identify(pid)
  if (init === undefined) throw new Error('the sandbox ended at once')
  bound(init)
  gate.end('\n')
  info.destroy()
  return init
}

async function sandboxPid(child: ChildProcess, info: Readable, stderr: Readable): Promise<number> {
  const timeout = AbortSignal.timeout(startTimeoutMs)
  let text = ''
  const told = new Promise<number>((resolve) => {
    info.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(0, 4096)
      const pid = /"child-pid": *(\d+)/.exec(text)?.[1]
      if (pid !== undefined && text.includes('}')) resolve(Number(pid))
    })
  })
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('exit', () =>
      reject(
        new Error(
          String(stderr.read() ?? '')
            .split('\n')[0]
            ?.slice(0, 200) ?? '',
        ),
      ),
    )
    timeout.addEventListener('abort', () => reject(timeout.reason), { once: true })
  })
  return Promise.race([told, failed])
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

/** The kernel may hold a group for a moment after its last process was reaped. */
async function removed(cgroup: Cgroup): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    if (cgroup.remove()) return true
    await wait(10)
  }
  return false
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter((text) => text !== '')
      .map(Number)
  } catch {
    return []
  }
}

/** Accounts and names as the sandbox knows them; nothing of the host's own files. */
async function writeWorkDir(workDir: string, plan: SandboxPlan): Promise<void> {
  await makeWorkFolder(workDir)
  await mkdir(plan.etcFolder, { mode: 0o700 })
  const { uid, gid } = plan.user
  const files = {
    passwd: `sandbox:x:${uid}:${gid}:sandbox:${sandboxHome}:/usr/sbin/nologin\n`,
    group: `sandbox:x:${gid}:\n`,
    hosts: ['127.0.0.1 localhost', '::1 localhost', '127.0.1.1 sandbox', ...(plan.egress?.network.hosts ?? []), ''].join('\n'),
    // A mount belongs to whoever it does outside. Whose repository it is was decided when it was listed.
    gitconfig: plan.mounts.length === 0 ? '' : '[safe]\n\tdirectory = *\n',
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
  }
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(plan.etcFolder, name), text, { mode: 0o644 })))
}

/** The environment inside: the fixed part, the gateway's own time zone, then what the configuration lists for this server. */
function sandboxEnvironment(config: StdioConfig, timeZone: string | undefined): Record<string, string> {
  const zone = timeZone === undefined ? {} : { TZ: timeZone }
  return { PATH: `/opt/turnward:${programPath}`, HOME: sandboxHome, TMPDIR: '/tmp', LANG: 'C.UTF-8', ...zone, ...config.env }
}
