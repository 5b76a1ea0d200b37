/**
 * Makes a cgroup of version 2 that was handed to this gateway (`Delegate=` of a service manager, the own one of a container)
 * able to bound groups below it. The kernel wants such a group to hold no processes itself, so the gateway moves into a group
 * of its own below. It must never move a process that is not of its own line.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The group the gateway itself moves to. */
export const gatewayGroup = 'turnward-gateway'

/** More than any gateway has when it starts; new ones may appear while they are moved. */
const mostMoves = 1000

/** Whether groups made below the folder are bounded by these controllers from now on; false, and nothing is changed, where it was not handed over. */
export function openDelegated(folder: string, controllers: readonly string[] = ['memory', 'pids']): boolean {
  const own = join(folder, gatewayGroup)
  const moved: number[] = []
  try {
    const has = (file: string) => wordsOf(join(folder, file))
    // The root of all groups holds processes and controls at once, and is nobody's to change.
    if (!existsSync(join(folder, 'cgroup.type')) || !controllers.every((name) => has('cgroup.controllers').includes(name))) return false
    if (controllers.every((name) => has('cgroup.subtree_control').includes(name))) return true
    if (!has('cgroup.procs').every((pid) => isOfOurLine(Number(pid)))) return false
    if (!existsSync(own)) mkdirSync(own)
    for (let [pid] = has('cgroup.procs'); pid !== undefined && moved.length < mostMoves; [pid] = has('cgroup.procs')) {
      writeFileSync(join(own, 'cgroup.procs'), pid, { flag: 'r+' })
      moved.push(Number(pid))
    }
    writeFileSync(join(folder, 'cgroup.subtree_control'), controllers.map((name) => `+${name}`).join(' '), { flag: 'r+' })
    return true
  } catch {
    putBack(folder, own, moved)
    return false
  }
}

function putBack(folder: string, own: string, pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      writeFileSync(join(folder, 'cgroup.procs'), String(pid), { flag: 'r+' })
    } catch {
      // It has ended.
    }
  }
  try {
    rmdirSync(own)
  } catch {
    // Never made, or another gateway of the group is in it.
  }
}

/** This process, those it descends from and those that descend from it. */
function isOfOurLine(pid: number): boolean {
  return ancestorsOf(process.pid).includes(pid) || ancestorsOf(pid).includes(process.pid)
}

/** From a process up to the first one. */
function ancestorsOf(pid: number): number[] {
  const line: number[] = []
  for (let next = pid; next > 0 && !line.includes(next); next = parentOf(next)) line.push(next)
  return line
}

function parentOf(pid: number): number {
  // The name in parentheses may hold anything, parentheses included.
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])
}

function wordsOf(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split(/\s+/)
    .filter((word) => word !== '')
}
