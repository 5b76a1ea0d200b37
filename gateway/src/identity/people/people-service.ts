/** Looking at people, shutting them out, letting them in, giving them roles: for the command line and the API. */
import { roleNames } from '@turnward/contract/config/identity/roles'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import type { PersonGroup, StoredPerson } from '../../store/people.ts'
import type { Store } from '../../store/store.ts'
import type { Role } from './roles.ts'

/** What may be shown of a person. Times are Unix milliseconds. */
export interface PersonInfo {
  readonly id: string
  /** Null where only the file or an administrator speaks for the person. */
  readonly issuer: string | null
  readonly kind: 'human' | 'workload'
  readonly name: string | null
  readonly emails: readonly string[]
  readonly status: 'active' | 'disabled'
  /** Those of the store; the configuration may give more. */
  readonly roles: readonly string[]
  readonly groups: readonly PersonGroup[]
  readonly created: number
  readonly seen: number | null
}

export interface PeopleService {
  /** People whose ids come after this one, in the order of their ids. */
  list(after: string, limit: number): Promise<PersonInfo[]>
  /** Rejects with `person.not_found`. */
  show(id: string): Promise<PersonInfo>
  /**
   * Shuts somebody out or lets them in. `isDeclared`: they may be on record only from now on, because the configuration knows them.
   * Rejects with `person.not_found`.
   */
  setActive(id: string, active: boolean, isDeclared: boolean): Promise<PersonInfo>
  /** Puts these roles in the place of those of the store. Rejects with `person.not_found`, or `request.invalid` for a role there is not. */
  setRoles(id: string, roles: readonly string[], isDeclared: boolean): Promise<PersonInfo>
}

export function createPeopleService({ store, clock }: { readonly store: Pick<Store, 'people'>; readonly clock: Clock }): PeopleService {
  const find = async (id: string): Promise<StoredPerson> => {
    const person = await store.people.find(id)
    if (person === undefined) throw new TurnwardError('person.not_found', { subject: id.slice(0, 200) })
    return person
  }
  const record = async (id: string, isDeclared: boolean): Promise<void> => {
    if (!isDeclared || (await store.people.find(id)) !== undefined) return
    const now = clock.now()
    const declared = { issuer: null, subject: null, kind: 'human', name: null, emails: [], roles: [] } as const
    await store.people.add({ id, ...declared, active: true, created: now, seen: null }, now)
  }
  return {
    async list(after, limit) {
      return (await store.people.list(after, limit)).map(infoOf)
    },
    async show(id) {
      return infoOf(await find(id))
    },
    async setActive(id, active, isDeclared) {
      await record(id, isDeclared)
      await find(id)
      await store.people.setActive(id, active, clock.now())
      return infoOf(await find(id))
    },
    async setRoles(id, roles, isDeclared) {
      const wanted = roles.map(readRole)
      await record(id, isDeclared)
      await find(id)
      await store.people.change(id, { roles: roleNames.filter((role) => wanted.includes(role)) }, clock.now())
      return infoOf(await find(id))
    },
  }
}

function readRole(text: string): Role {
  const role = roleNames.find((name) => name === text)
  if (role === undefined)
    throw new TurnwardError('request.invalid', { subject: text.slice(0, 64), why: `there is no such role: ${roleNames.join(', ')}` })
  return role
}

function infoOf({ id, issuer, kind, name, emails, active, roles, groups, created, seen }: StoredPerson): PersonInfo {
  return { id, issuer, kind, name, emails, status: active ? 'active' : 'disabled', roles, groups, created, seen }
}
