/**
 * Limits for a whole server where no cgroup can be made: its process tree is looked at again and again, and the server is
 * killed when it holds more than it may. Later than a cgroup by one look, and what no process has mapped is not seen: files in
 * its memory file systems, each bounded by `limits.file_mb`. In a sandbox there is no other memory of that kind.
 */
import { exactMemory, treeUse } from './process-tree.ts'

export interface WatchedLimits {
  readonly memoryBytes: number
  /** Processes and threads. */
  readonly tasks: number
}

export interface LimitWatch {
  /** Times the server was killed for its memory. */
  memoryKills(): number
  stop(): void
}

export type Excess = 'memory' | 'processes' | 'unreadable'

const calmMs = 100
const nearMs = 20

/** Watches until the process is gone or `stop`. `kill` must end the whole server. */
export function watchLimits(root: number, limits: WatchedLimits, kill: (excess: Excess) => void): LimitWatch {
  let kills = 0
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    const found = excessOf(root, limits)
    if (found === undefined) return
    if (typeof found === 'number') {
      timer = setTimeout(look, found)
      timer.unref()
      return
    }
    if (found === 'memory') kills += 1
    kill(found)
  }
  look()
  return { memoryKills: () => kills, stop: () => clearTimeout(timer) }
}

const killsMs = 250

/**
 * Ends a whole server of which the kernel has killed a process for memory: its cgroup holds, but what is left of it would keep
 * its callers waiting, and nobody would know why. `kill` must end the whole server.
 */
export function watchKills(memoryKills: () => number, kill: (excess: Excess) => void): LimitWatch {
  const timer = setInterval(() => {
    if (memoryKills() === 0) return
    clearInterval(timer)
    kill('memory')
  }, killsMs)
  timer.unref()
  return { memoryKills, stop: () => clearInterval(timer) }
}

/** What the server has too much of, or in how many milliseconds to look again; undefined when it is gone. */
function excessOf(root: number, limits: WatchedLimits): Excess | number | undefined {
  try {
    const use = treeUse(root)
    if (use === undefined) return undefined
    if (use.tasks > limits.tasks) return 'processes'
    if (use.memoryBytes <= limits.memoryBytes) return use.memoryBytes * 2 > limits.memoryBytes ? nearMs : calmMs
    // Shared pages counted more than once are no reason to kill.
    return (exactMemory(use.pids) ?? use.memoryBytes) > limits.memoryBytes ? 'memory' : calmMs
  } catch {
    // What cannot be seen any more cannot be bounded.
    return 'unreadable'
  }
}
