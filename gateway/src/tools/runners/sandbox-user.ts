/**
 * As whom a sandboxed server runs. Never as the host's root with capabilities, and as the host's root at all only
 * when it must write a folder that belongs to root.
 */
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

/** Ids systemd sets aside for dynamic users: no account of a host has them. */
const firstDynamic = 61_184
const lastDynamic = 65_519
const taken = new Set<number>()
let next = firstDynamic + (process.pid % (lastDynamic - firstDynamic))

/**
 * Chooses the user. `release` gives a dynamic id back; each running server has its own, so that one server's
 * processes neither count against nor can signal another's.
 */
export function chooseSandboxUser(
  gatewayUid: number,
  mounts: readonly Mount[],
): { readonly user: SandboxUser; readonly release: () => void } {
  const keep = () => {}
  if (gatewayUid !== 0) return { user: { kind: 'own', uid: 1000, gid: 1000 }, release: keep }
  const writable = mounts.filter((mount) => mount.write)
  if (writable.some((mount) => mount.uid === 0)) return { user: { kind: 'mapped', uid: 1000, gid: 1000 }, release: keep }
  const owner = writable[0]
  if (owner !== undefined) return { user: { kind: 'dropped', uid: owner.uid, gid: owner.gid }, release: keep }
  const uid = takeDynamic()
  return { user: { kind: 'dropped', uid, gid: uid }, release: () => taken.delete(uid) }
}

function takeDynamic(): number {
  do next = next >= lastDynamic ? firstDynamic : next + 1
  while (taken.has(next))
  taken.add(next)
  return next
}
