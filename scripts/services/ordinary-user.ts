/** Whom a service runs as when we are root: the user its package made, else `nobody`. */
import { readFileSync } from 'node:fs'

export interface OrdinaryUser {
  readonly uid: number
  readonly gid: number
}

/** Undefined when this process is an ordinary user itself. */
export function ordinaryUser(name: string): OrdinaryUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = new Map(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([user = '', , uid, gid]) => [user, { uid: Number(uid), gid: Number(gid) }]),
  )
  return users.get(name) ?? users.get('nobody')
}
