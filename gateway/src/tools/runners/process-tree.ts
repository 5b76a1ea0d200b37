/** What a started program and all its descendants hold now, read from the kernel's process table. It changes nothing. */
import { readdirSync, readFileSync } from 'node:fs'

export interface TreeUse {
  /** Bytes that belong to the processes: anonymous and shared memory, swapped out or not. Pages several of them share may count more than once. */
  readonly memoryBytes: number
  /** Processes and their threads. */
  readonly tasks: number
  readonly pids: readonly number[]
}

/** Deeper or wider than any server may get: the look itself must be bounded. */
const mostProcesses = 10_000

/** The tree below and including this process; undefined when the process is gone. Throws when the process table cannot be read. */
export function treeUse(root: number, proc = '/proc'): TreeUse | undefined {
  const pids: number[] = []
  const waiting = [root]
  let memoryBytes = 0
  let tasks = 0
  for (let pid = waiting.pop(); pid !== undefined && pids.length < mostProcesses; pid = waiting.pop()) {
    try {
      // Children are listed under the thread that made them.
      const threads = readdirSync(`${proc}/${pid}/task`)
      for (const thread of threads)
        for (const child of numbersIn(readQuietly(`${proc}/${pid}/task/${thread}/children`))) waiting.push(child)
      memoryBytes += ownMemory(readFileSync(`${proc}/${pid}/status`, 'latin1'))
      tasks += threads.length
      pids.push(pid)
    } catch (error) {
      if (!isGone(error)) throw error
      if (pid === root) return undefined
      // Ended between two reads; its children are found below whoever took them over, with the next look.
    }
  }
  return { memoryBytes, tasks, pids }
}

/** True when trees can be read here: the kernel lists children, and shows us this process. */
export function canReadTree(pid: number, proc = '/proc'): boolean {
  try {
    readFileSync(`${proc}/${pid}/task/${pid}/children`)
    return (
      /^Rss(?:Anon|Shmem):/m.test(readFileSync(`${proc}/self/status`, 'latin1')) && readFileSync(`${proc}/${pid}/status`, 'latin1') !== ''
    )
  } catch {
    return false
  }
}

/** Memory of these processes with shared pages counted once; undefined when the kernel does not tell us. */
export function exactMemory(pids: readonly number[], proc = '/proc'): number | undefined {
  let bytes = 0
  for (const pid of pids) {
    try {
      const text = readFileSync(`${proc}/${pid}/smaps_rollup`, 'latin1')
      bytes += kilobytes(text, 'Pss_Anon') + kilobytes(text, 'Pss_Shmem') + kilobytes(text, 'SwapPss')
    } catch (error) {
      if (!isGone(error)) return undefined
    }
  }
  return bytes
}

function ownMemory(status: string): number {
  return kilobytes(status, 'RssAnon') + kilobytes(status, 'RssShmem') + kilobytes(status, 'VmSwap')
}

function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024
}

function numbersIn(text: string): number[] {
  return text
    .split(' ')
    .filter((word) => word.trim() !== '')
    .map(Number)
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if (isGone(error)) return ''
    throw error
  }
}

function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ESRCH'
}
