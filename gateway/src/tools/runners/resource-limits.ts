/**
 * The limits of one server and how they are enforced: a cgroup where the gateway may make one, else a
 * watch over its process tree, with resource limits of the kernel for each process. It must never apply a process limit that would count processes of somebody else.
 */
import type { ServerConfig } from '@turnward/contract/config'
import { TurnwardError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import type { Cgroup } from './cgroup.ts'
import { watchKills, watchLimits, type Excess, type LimitWatch } from './limit-watch.ts'
import { canReadTree } from './process-tree.ts'

export type StdioConfig = Extract<ServerConfig, { transport: 'stdio' }>
export type ServerLimits = StdioConfig['limits']

const mebibyte = 1024 * 1024
/** V8 reserves data segments it does not use; below this Node does not start under a data limit. */
const nodeReserveMb = 640
/** A browser has processes and threads of its own for every page. */
const fewestOfBrowser = 512

export interface LimitOptions {
  readonly limits: ServerLimits
  /** Whether a cgroup bounds memory, so that the data segment need not. */
  readonly memoryByCgroup: boolean
  /** Processes and threads to allow, or undefined where the count would include other programs of the user. */
  readonly processes: number | undefined
}

/** `prlimit` options for a server, without the program itself. Core dumps are off: they would hold secrets. */
export function prlimitOptions({ limits, memoryByCgroup, processes }: LimitOptions): string[] {
  const options = [
    '--core=0:0',
    `--cpu=${limits.cpu_seconds}:${limits.cpu_seconds}`,
    `--fsize=${limits.file_mb * mebibyte}:${limits.file_mb * mebibyte}`,
    '--nofile=4096:4096',
  ]
  if (!memoryByCgroup) {
    const data = (limits.memory_mb + nodeReserveMb) * mebibyte
    options.push(`--data=${data}:${data}`)
  }
  if (processes !== undefined) options.push(`--nproc=${processes}:${processes}`)
  return options
}

/** Whether the tree of a process can be watched. Throws `sandbox.limits` when it cannot and the configuration does not accept that. */
export function canBeWatched(server: string, limits: ServerLimits, pid: number): boolean {
  if (canReadTree(pid)) return true
  if (limits.unenforced !== 'accept')
    throw new TurnwardError('sandbox.limits', {
      subject: server,
      why: 'no cgroup is writable and the processes of the server cannot be watched',
    })
  return false
}

/**
 * Bounds memory and processes of a whole server that has no cgroup, by watching its tree. `undefined` where even that is
 * impossible and the configuration accepts it; errors: `sandbox.limits` where it does not.
 */
export function boundByWatching(
  server: string,
  limits: ServerLimits,
  root: number,
  extra: { readonly memoryBytes: number; readonly processes: number },
  logger: Logger,
  kill: () => void,
): LimitWatch | undefined {
  if (!canBeWatched(server, limits, root)) {
    logger.warn(
      { server },
      'the limits of this server are not enforced, as its configuration accepts: no cgroup is writable and its processes cannot be watched',
    )
    return undefined
  }
  const bounds = { memoryBytes: memoryBytes(limits) + extra.memoryBytes, tasks: limits.processes + 2 + extra.processes }
  return watchLimits(root, bounds, telling(server, limits, logger, kill))
}

/** Ends a server with a cgroup as a whole when the kernel kills a part of it for memory, and tells why. */
export function boundByCgroup(server: string, limits: ServerLimits, cgroup: Cgroup, logger: Logger, kill: () => void): LimitWatch {
  return watchKills(() => cgroup.memoryKills(), telling(server, limits, logger, kill))
}

function telling(server: string, { memory_mb, processes }: ServerLimits, logger: Logger, kill: () => void): (excess: Excess) => void {
  return (excess) => {
    logger.warn({ server, excess, limits: { memory_mb, processes } }, 'an MCP server was killed: it held more than its limits allow')
    kill()
  }
}

/** Bytes of memory a cgroup allows. */
export function memoryBytes(limits: ServerLimits): number {
  return limits.memory_mb * mebibyte
}

/** The configuration of a server a runner can start. Errors: `config.invalid` for a remote server or an unusable environment. */
export function stdioConfig(server: string, config: ServerConfig): StdioConfig {
  if (config.transport !== 'stdio')
    throw new TurnwardError('config.invalid', { subject: `servers.${server}`, why: 'only stdio servers are started by a runner' })
  for (const [name, value] of Object.entries(config.env)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || value.includes('\0'))
      throw new TurnwardError('config.invalid', {
        subject: `servers.${server}.env`,
        why: 'a name or value is not one an environment can hold',
      })
  }
  if (config.runtime !== 'browser') return config
  return { ...config, limits: { ...config.limits, processes: Math.max(config.limits.processes, fewestOfBrowser) } }
}
