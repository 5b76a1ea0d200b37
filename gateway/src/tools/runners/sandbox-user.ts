/**
 * As whom a sandboxed server runs. Never as the host's root with capabilities, and as the host's root at all only
 * when it must write a folder that belongs to root, or read code that root keeps to itself.
 */
import { statSync } from 'node:fs'
import type { Mount } from './sandbox-mounts.ts'

export type SandboxUser =
  /** The gateway is an ordinary user: a user namespace, the same user outside. */
  | { readonly kind: 'own'; readonly uid: number; readonly gid: number }
  /** The gateway is root: the server drops to an unprivileged user of the host after the mounts are made. */
  | { readonly kind: 'dropped'; readonly uid: number; readonly gid: number }
  /**
   * The gateway is root and a writable mount belongs to root: a user namespace without capabilities, root outside.
   * The kernel does not count processes of that user, so only a cgroup can bound them.
   */
  | { readonly kind: 'mapped'; readonly uid: number; readonly gid: number }

export interface ChosenUser {
  readonly user: SandboxUser
  /** Whether nobody else on the host runs as that user, so that the kernel can count its processes. */
  readonly isCountable: boolean
  /** Gives a dynamic id back; each running server has its own, so that one server's processes neither count against nor can signal another's. */
  readonly release: () => void
}

/** Of the ids systemd sets aside for dynamic users, which no account of a host has. Those below belong to homes that are kept. */
const firstDynamic = 63_000
const lastDynamic = 65_519
const taken = new Set<number>()
let next = firstDynamic + (process.pid % (lastDynamic - firstDynamic))

/** Chooses the user for what a server writes, what it has to read, and whose its home is where it keeps one. */
export function chooseSandboxUser(
  gatewayUid: number,
  mounts: readonly Mount[],
  code: readonly string[],
  home?: { readonly uid: number; readonly gid: number },
): ChosenUser {
  const release = () => {}
  if (gatewayUid !== 0) return { user: { kind: 'own', uid: 1000, gid: 1000 }, isCountable: true, release }
  const written = mounts.filter((mount) => mount.write)
  // Who must be asked for a file is its owner: whoever has no capabilities reads another's closed folder as little as anybody.
  const owners = written.length > 0 ? written : [...code, ...mounts.map(({ source }) => source)].flatMap(closedTo)
  if (owners.some(({ uid }) => uid === 0)) return { user: { kind: 'mapped', uid: 1000, gid: 1000 }, isCountable: false, release }
  const owner = owners[0] ?? home
  if (owner !== undefined) return { user: { kind: 'dropped', uid: owner.uid, gid: owner.gid }, isCountable: false, release }
  const uid = takeDynamic()
  return { user: { kind: 'dropped', uid, gid: uid }, isCountable: true, release: () => taken.delete(uid) }
}

/** The owner of what not everybody may read (a folder of mode 0700); nothing where everybody may. */
function closedTo(path: string): { readonly uid: number; readonly gid: number }[] {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return []
  const needed = stat.isDirectory() || (stat.mode & 0o100) !== 0 ? 0o5 : 0o4
  return (stat.mode & needed) === needed ? [] : [{ uid: stat.uid, gid: stat.gid }]
}

function takeDynamic(): number {
  do next = next >= lastDynamic ? firstDynamic : next + 1
  while (taken.has(next))
  taken.add(next)
  return next
}
