/** A directory of the configuration, found by the token it sends, and what work for it needs. */
import { timingSafeEqual } from 'node:crypto'
import type { Snapshot } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import { sha256 } from '../../core/hash.ts'
import type { Store } from '../../store/store.ts'
import { ScimError } from './scim-error.ts'
import type { UserAttribute } from './user-resource.ts'

export interface Directory {
  /** Its name under `identity.scim`. */
  readonly name: string
  /** The issuer whose people it tells of. */
  readonly issuer: string
  readonly user: UserAttribute
}

/** One request of a directory. */
export interface ScimWork {
  readonly directory: Directory
  readonly store: Pick<Store, 'people' | 'directories' | 'keys'>
  readonly clock: Clock
  readonly snapshot: Snapshot
  /** Address of the endpoint as others know it: `https://turnward.acme.example/scim/v2`. */
  readonly base: string
}

/** The directory whose token this is. All are compared, in constant time. Throws 401. */
export function directoryOf(authorization: string | undefined, { identity }: Pick<Snapshot, 'identity'>): Directory {
  const token = /^Bearer +(\S{1,4096}) *$/i.exec(authorization ?? '')?.[1]
  const digest = Buffer.from(sha256(token ?? ''), 'hex')
  let found: Directory | undefined
  for (const [name, { token: secret, issuer, user }] of Object.entries(identity.scim))
    if (timingSafeEqual(Buffer.from(sha256(secret), 'hex'), digest)) found = { name, issuer, user }
  if (token === undefined || found === undefined) throw new ScimError(401, 'The bearer token is missing, or of no directory')
  return found
}

/** The origin of groups that a directory has put people into. */
export function groupsOf({ name }: Pick<Directory, 'name'>): string {
  return `scim:${name}`
}
