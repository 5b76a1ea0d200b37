/** What the system says of a process: descriptors, memory, children. Read from /proc, so a process can hide nothing of it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

export interface ProcessState {
  /** Open descriptors that are sockets. */
  readonly sockets: number
  readonly descriptors: number
  /** Resident memory, in MB. */
  readonly residentMb: number
}

export function stateOf(pid: number): ProcessState {
  const names = readdirSync(`/proc/${pid}/fd`)
  const sockets = names.filter((name) => linkOf(`/proc/${pid}/fd/${name}`).startsWith('socket:')).length
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return { sockets, descriptors: names.length, residentMb: Number(resident) / 1024 }
}

/** Live processes with this text in their environment, as root of the host sees them; zombies have none. */
export function processesWith(text: string): number[] {
  return allProcesses().filter((pid) => contentOf(`/proc/${pid}/environ`).includes(text))
}

/** Live processes below this one, however deep. */
export function descendantsOf(pid: number): number[] {
  const parents = new Map(allProcesses().map((one) => [one, parentOf(one)]))
  const below = (ancestor: number): number[] =>
    [...parents].filter(([, parent]) => parent === ancestor).flatMap(([one]) => [one, ...below(one)])
  return below(pid)
}

function allProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(contentOf(`/proc/${pid}/status`))?.[1] ?? -1)
}

/** A process may end while one looks at it. */
function contentOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
