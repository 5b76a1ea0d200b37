/**
 * One cgroup per running server, version 2 or 1, bounding memory and processes together for all descendants.
 * It must never touch a cgroup this gateway did not make, but for the one that was handed to it.
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { randomText } from '../../core/ids.ts'
import { openDelegated } from './delegated-cgroup.ts'

export interface CgroupLimits {
  readonly memoryBytes: number
  readonly processes: number
}

export interface Cgroup {
  /** Moves a process (with the threads it has now) into the group. */
  add(pid: number): void
  /** How many processes the kernel killed for memory. */
  memoryKills(): number
  /** Pids that are still in it. */
  members(): number[]
  /** Removes the folders; false while a process is left. */
  remove(): boolean
}

export interface CgroupSupport {
  readonly version: 1 | 2
  create(server: string, limits: CgroupLimits): Cgroup
}

interface Layout {
  readonly version: 1 | 2
  /** Parent folders, one per controller; version 2 has one for both. */
  readonly memory: string
  readonly processes: string
  /** Whether it is the group this process is in. */
  readonly isOwn: boolean
  /** Whether it is the uppermost one that can be seen from here. */
  readonly isTop: boolean
}

const files = {
  1: {
    memory: 'memory.limit_in_bytes',
    swap: 'memory.memsw.limit_in_bytes',
    swapIsTotal: true,
    events: 'memory.oom_control',
    processes: 'pids.max',
  },
  2: { memory: 'memory.max', swap: 'memory.swap.max', swapIsTotal: false, events: 'memory.events', processes: 'pids.max' },
} as const

/** What can be used here, found by making and removing a group; `undefined` when nothing can. */
export function detectCgroups(root = '/sys/fs/cgroup', self = '/proc/self/cgroup'): CgroupSupport | undefined {
  const found = [...layouts(root, self)].find(probe) ?? [...layouts(root, self)].find((layout) => canBeOpened(layout) && probe(layout))
  if (found === undefined) return undefined
  sweep(found)
  return { version: found.version, create: (server, limits) => create(found, server, limits) }
}

/** Root may write every group, so for root only the own one of a container is certain to be meant for it. */
function canBeOpened({ version, memory, isOwn, isTop }: Layout): boolean {
  return version === 2 && isOwn && (process.getuid?.() !== 0 || isTop) && openDelegated(memory)
}

function* layouts(root: string, self: string): Generator<Layout> {
  let lines: string[]
  try {
    lines = readFileSync(self, 'utf8').trim().split('\n')
  } catch {
    return
  }
  const pathOf = (controller: string) =>
    lines
      .map((line) => line.split(':'))
      .find(([id, names]) => (controller === '' ? id === '0' && names === '' : names?.split(',').includes(controller)))
      ?.slice(2)
      .join(':')
  const unified = pathOf('')
  for (const mount of unified === undefined ? [] : [root, join(root, 'unified')]) {
    // On a machine with version 1 the root is an ordinary file system, where anything could be made.
    if (unified === undefined || !existsSync(join(mount, 'cgroup.controllers'))) continue
    // A group that holds processes cannot hand its controllers down, so the place beside our own is tried as well.
    for (const parent of new Set([join(mount, unified), join(mount, dirname(unified))]))
      yield { version: 2, memory: parent, processes: parent, isOwn: parent === join(mount, unified), isTop: unified === '/' }
  }
  const memory = pathOf('memory')
  const processes = pathOf('pids')
  if (memory === undefined || processes === undefined) return
  const old = { version: 1, isOwn: false, isTop: false } as const
  yield { ...old, memory: join(root, 'memory', memory), processes: join(root, 'pids', processes) }
  yield { ...old, memory: join(root, 'memory'), processes: join(root, 'pids') }
}

function probe(layout: Layout): boolean {
  if (!existsSync(layout.memory) || !existsSync(layout.processes)) return false
  try {
    const group = create(layout, 'probe', { memoryBytes: 64 * 1024 * 1024, processes: 16 })
    return group.remove()
  } catch {
    return false
  }
}

function create(layout: Layout, server: string, limits: CgroupLimits): Cgroup {
  const name = `turnward-${process.pid}-${server}-${randomText(8)}`
  const names = files[layout.version]
  const memory = join(layout.memory, name)
  const processes = join(layout.processes, name)
  const folders = [...new Set([memory, processes])]
  const remove = () => {
    let removed = true
    for (const folder of folders) {
      try {
        rmdirSync(folder)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') removed = false
      }
    }
    return removed
  }
  try {
    for (const folder of folders) mkdirSync(folder)
    setControl(join(memory, names.memory), limits.memoryBytes)
    setControl(join(processes, names.processes), limits.processes)
  } catch (error) {
    remove()
    throw error
  }
  try {
    setControl(join(memory, names.swap), names.swapIsTotal ? limits.memoryBytes : 0)
  } catch {
    // Kernels without swap accounting have no such file; then there is no swap to bound either.
  }
  return {
    add: (pid) => {
      for (const folder of folders) setControl(join(folder, 'cgroup.procs'), pid)
    },
    memoryKills: () => {
      try {
        return Number(/^oom_kill (\d+)$/m.exec(readFileSync(join(memory, names.events), 'utf8'))?.[1] ?? 0)
      } catch {
        return 0
      }
    },
    members: () => {
      const pids = new Set<number>()
      for (const folder of folders) {
        try {
          for (const line of readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n')) if (line !== '') pids.add(Number(line))
        } catch {
          // Already removed.
        }
      }
      return [...pids]
    },
    remove,
  }
}

/** Writes a control file that must exist: making one would mean that this is no cgroup and nothing is bounded. */
function setControl(path: string, value: number): void {
  writeFileSync(path, String(value), { flag: 'r+' })
}

/** Removes groups a gateway that no longer runs left behind; the kernel refuses those that are in use. */
function sweep(layout: Layout): void {
  for (const folder of new Set([layout.memory, layout.processes])) {
    for (const name of readdirSync(folder)) {
      const owner = /^turnward-(\d+)-/.exec(name)?.[1]
      if (owner === undefined || existsSync(`/proc/${owner}`)) continue
      try {
        rmdirSync(join(folder, name))
      } catch {
        // Still in use, or removed by somebody else meanwhile.
      }
    }
  }
}
