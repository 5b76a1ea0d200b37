/** The home of a server that keeps one: a folder beside the working folders, which only the user the server runs as may enter. */
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { TurnwardError } from '../../core/error.ts'
import type { SandboxUser } from './sandbox-user.ts'

export interface KeptHome {
  readonly path: string
  /** Whose it is, or would be where nothing else decides as whom the server runs. */
  readonly uid: number
  readonly gid: number
}

/** Below the ids that are handed out for one run each: whose home it is must be so for the next run as well. */
const firstOwner = 61_184
const lastOwner = 62_999

/** Where the home of a server is, without making it. `workDir` is the folder of one run. Errors: `sandbox.unavailable` when there are too many. */
export function findHome(server: string, workDir: string, gatewayUid: number): KeptHome {
  const path = join(dirname(workDir), 'homes', server)
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat !== undefined) return { path, uid: stat.uid, gid: stat.gid }
  const uid = gatewayUid === 0 ? freeOwner(server, dirname(path)) : gatewayUid
  return { path, uid, gid: uid }
}

/** Makes the home unless it is there. Errors: `sandbox.unavailable` when it belongs to somebody else than the server now runs as. */
export function makeHome(server: string, { path }: KeptHome, user: SandboxUser, gatewayUid: number): void {
  const owner = user.kind === 'dropped' ? user : { uid: gatewayUid, gid: process.getgid?.() ?? gatewayUid }
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    // It is entered before its owner is become; the folder above keeps everybody else out.
    mkdirSync(path)
    chmodSync(path, 0o711)
    if (gatewayUid === 0) chownSync(path, owner.uid, owner.gid)
  } else if (stat.uid !== owner.uid) {
    throw new TurnwardError('sandbox.unavailable', {
      subject: server,
      why: `its home belongs to the user ${stat.uid}, and it now runs as ${owner.uid}, whom its code or a mount belongs to`,
      fix: `chown -R ${owner.uid} ${path}`,
    })
  }
}

/** An id that owns no other home. */
function freeOwner(server: string, homes: string): number {
  const names = statSync(homes, { throwIfNoEntry: false }) === undefined ? [] : readdirSync(homes)
  const owners = new Set(names.map((name) => statSync(join(homes, name)).uid))
  for (let owner = firstOwner; owner <= lastOwner; owner += 1) if (!owners.has(owner)) return owner
  throw new TurnwardError('sandbox.unavailable', { subject: server, why: 'too many servers keep a home' })
}
