/** Whose provider credentials somebody may store, see and remove: their own, and those of the groups they look after. Pure. */
import type { Snapshot } from '../config/snapshot.ts'
import { TurnwardError } from '../core/error.ts'
import type { Role } from './people/roles.ts'
import type { CredentialOwner } from './vault/stored-credentials.ts'

interface Manager {
  /** Principal id. */
  readonly id: string
  readonly roles: readonly Role[]
}

type Groups = Pick<Snapshot, 'groupManagers'>

/** The groups whose credentials somebody looks after by the word of the configuration, in its order. */
export function managedGroups({ id }: Pick<Manager, 'id'>, { groupManagers }: Groups): readonly string[] {
  return [...groupManagers].flatMap(([group, managers]) => (managers.includes(id) ? [group] : []))
}

/** Throws `auth.role` for a group that somebody else looks after. Whoever administers people looks after every group. */
export function ownerManagedBy(manager: Manager, group: string | undefined, snapshot: Groups): CredentialOwner {
  if (group === undefined) return { person: manager.id }
  if (manager.roles.includes('admin') || snapshot.groupManagers.get(group)?.includes(manager.id) === true) return { group }
  throw new TurnwardError('auth.role', {
    subject: manager.id,
    why: `credentials of \`${group}\` are for its \`managers\` and for the role \`admin\``,
  })
}
