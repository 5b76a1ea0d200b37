/** Roles of the administration: what each may see and do there. Whoever writes policy need not see contents. Pure. */
import type { Config } from '@turnward/contract/config'
import { roleNames } from '@turnward/contract/config/identity/roles'
import type { Snapshot } from '../../config/snapshot.ts'
import type { Principal } from '../../core/principal.ts'

export type Role = (typeof roleNames)[number]

/** A role -> the roles whose rights it has as well. Contents are for the auditor alone: nobody else has that role by another. */
const includes: Readonly<Record<Role, readonly Role[]>> = {
  viewer: [],
  operator: ['viewer'],
  policy_author: ['viewer'],
  admin: ['viewer', 'operator', 'policy_author'],
  auditor: ['viewer'],
}

/** The roles of a principal: those of the store, and those the configuration gives to it or its groups; with all that they include. */
export function rolesOf(principal: Principal, stored: readonly string[], { identity }: Pick<Snapshot, 'identity'>): readonly Role[] {
  const given = roleNames.filter((role) => stored.includes(role) || isGiven(identity.roles[role], principal))
  return roleNames.filter((role) => given.some((one) => one === role || includes[one].includes(role)))
}

function isGiven(to: Config['identity']['roles'][Role], { id, groups }: Principal): boolean {
  return to !== undefined && (to.people.includes(id) || groups.some((group) => to.groups.includes(group)))
}
