/** Principals of the file, found by what an issuer calls them. Pure. */
import type { Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import type { Principal } from '../../core/principal.ts'

/** What a person is known by: addresses mean the same in any case. */
export function userKey(user: string): string {
  return user.includes('@') ? user.toLowerCase() : user
}

type Declared = ReadonlyMap<string, readonly Principal[]>

const bySnapshot = new WeakMap<Snapshot, Declared>()

/**
 * The principal of the file that an issuer means with this value: the one that has it as its id or as an address, if the issuer may
 * speak for it. Throws `auth.other_issuer` where it may not, or several have it.
 */
export function declaredAs(user: string, issuer: string, snapshot: Snapshot): Principal | undefined {
  const [found, another] = declaredIn(snapshot).get(userKey(user)) ?? []
  if (found === undefined) return undefined
  if (another !== undefined)
    throw new TurnwardError('auth.other_issuer', { subject: found.id, why: 'several principals of the configuration are known by this' })
  if (!maySpeakFor(issuer, found, snapshot))
    throw new TurnwardError('auth.other_issuer', {
      subject: found.id,
      why: `\`${issuer}\` does not speak for this principal of the configuration`,
      fix: `Write \`issuer: ${issuer}\` at the principal if it may.`,
    })
  return found
}

/** A principal without an issuer is of the only one there is; edges and certificates were given their names by the file itself. */
function maySpeakFor(issuer: string, principal: Principal, { identity: { issuers } }: Snapshot): boolean {
  if (principal.issuer !== undefined && principal.issuer !== null) return principal.issuer === issuer
  return Object.hasOwn(issuers, issuer) ? Object.keys(issuers).length === 1 : true
}

function declaredIn(snapshot: Snapshot): Declared {
  let declared = bySnapshot.get(snapshot)
  if (declared === undefined) {
    declared = indexOf(snapshot)
    bySnapshot.set(snapshot, declared)
  }
  return declared
}

function indexOf({ principals }: Snapshot): Declared {
  const index = new Map<string, Principal[]>()
  for (const principal of principals.values()) {
    for (const name of new Set([principal.id, ...principal.emails].map(userKey))) {
      const others = index.get(name)
      if (others === undefined) index.set(name, [principal])
      else others.push(principal)
    }
  }
  return index
}
