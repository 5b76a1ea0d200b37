/**
 * Who a person is that an issuer, an edge or a certificate names, or a key belongs to: a principal, or a coded refusal. A principal
 * is what the file, the store and whoever names it now say together; nobody is merged with a person of another issuer.
 */
import type { Snapshot } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import type { Principal } from '../../core/principal.ts'
import type { StoredPerson } from '../../store/people.ts'
import type { Store } from '../../store/store.ts'
import { declaredAs, userKey } from './declared-people.ts'
import type { Remembered, RememberedPeople } from './remembered-people.ts'
import { rolesOf, type Role } from './roles.ts'

/** A person as somebody else knows them. */
export interface NamedPerson {
  /** A name under `identity.issuers`, `turnward` for our own tokens, `edge:NAME`, `certificate`. */
  readonly issuer: string
  /** What the issuer never gives to another (`sub`). */
  readonly subject: string
  /** What the person is known by here: the id of the principal. */
  readonly user: string
  readonly emails: readonly string[]
  readonly groups: readonly string[]
  readonly kind: 'human' | 'workload'
  readonly provision: 'known' | 'auto'
}

export interface People {
  /** Throws, or rejects with, `auth.unknown_person`, `auth.other_issuer`, `auth.disabled` or `store.failed`. */
  principalOf(named: NamedPerson, snapshot: Snapshot): Principal | Promise<Principal>
  /**
   * The principal of this id with the groups that everybody has given it so far: for keys, for sessions, and for work that runs
   * later. Throws, or rejects with, `auth.unknown_person`, `auth.disabled` or `store.failed`.
   */
  principal(id: string, snapshot: Snapshot): Principal | Promise<Principal>
  /** What somebody may administer. Rejects as `principal` does. */
  roles(id: string, snapshot: Snapshot): Promise<readonly Role[]>
}

export interface PeopleOptions {
  readonly store: Pick<Store, 'people'>
  readonly remembered: RememberedPeople
  readonly clock: Clock
  readonly logger: Logger
}

/** How often it is noted that somebody was here. */
const seenEveryMs = 3_600_000
/** How often what an issuer says is written, where two tokens of a person say different things. */
const writtenEveryMs = 60_000
/** Longest id of a principal, and name of a group. */
const longestName = 512

export function createPeople({ store, remembered, clock, logger }: PeopleOptions): People {
  const failed = (error: unknown): void =>
    logger.warn({ code: asTurnwardError(error).code }, 'what an issuer says of a person could not be written')

  function admit(named: NamedPerson, id: string, found: Remembered, snapshot: Snapshot): Principal | Promise<Principal> {
    const { person } = found
    if (person === undefined) return createFor(named, id, snapshot)
    requireActive(person)
    if (person.issuer !== null && person.issuer !== named.issuer)
      throw new TurnwardError('auth.other_issuer', { subject: id, why: `a person of \`${person.issuer}\` is known by this` })
    if (person.issuer === null) return adopt(named, id, snapshot)
    requireShortNames(named)
    note(named, found, person)
    const others = person.groups.filter(({ origin }) => origin !== claimsOf(named.issuer)).map(({ group }) => group)
    return principalFrom(found, snapshot, { id, kind: named.kind, issuer: named.issuer, emails: person.emails }, named, others)
  }

  async function createFor(named: NamedPerson, id: string, snapshot: Snapshot): Promise<Principal> {
    if (named.provision === 'known' && !snapshot.principals.has(id))
      throw new TurnwardError('auth.unknown_person', { subject: id, why: `people of \`${named.issuer}\` must be known before they come` })
    requireShortNames(named)
    const now = clock.now()
    const { issuer, subject, kind, emails } = named
    await store.people.add({ id, issuer, subject, kind, name: null, emails, active: true, roles: [], created: now, seen: now }, now)
    await store.people.setGroups(id, claimsOf(issuer), named.groups, now)
    return again(named, id, snapshot)
  }

  /** A principal of the file whom the store knew without an issuer is theirs from now on. */
  async function adopt(named: NamedPerson, id: string, snapshot: Snapshot): Promise<Principal> {
    if (!snapshot.principals.has(id))
      throw new TurnwardError('auth.other_issuer', { subject: id, why: 'somebody whom no issuer speaks for is known by this' })
    const { issuer, subject, kind } = named
    await store.people.change(id, { issuer, subject, kind }, clock.now())
    return again(named, id, snapshot)
  }

  async function again(named: NamedPerson, id: string, snapshot: Snapshot): Promise<Principal> {
    remembered.forget(id)
    const found = await remembered.find(id)
    if (found.person?.issuer === null || found.person === undefined)
      throw new TurnwardError('store.failed', { subject: id, why: 'the person could not be written' })
    return admit(named, id, found, snapshot)
  }

  /** What is new of the person is written behind the call, and rarely. */
  function note(named: NamedPerson, found: Remembered, person: StoredPerson): void {
    const now = clock.now()
    const wasNoted = found.noted ?? person.seen ?? 0
    if (now - wasNoted < writtenEveryMs) return
    const origin = claimsOf(named.issuer)
    const given = person.groups.filter((group) => group.origin === origin).map(({ group }) => group)
    const hasNewGroups = !sameNames(named.groups, given)
    const hasNewEmails = named.emails.length > 0 && !sameNames(named.emails, person.emails)
    const isSeenAnew = now - wasNoted >= seenEveryMs
    if (!hasNewGroups && !hasNewEmails && !isSeenAnew) return
    found.noted = now
    const write = async (): Promise<void> => {
      await store.people.see(person.id, now)
      if (hasNewEmails) await store.people.change(person.id, { emails: named.emails }, now)
      if (hasNewGroups) await store.people.setGroups(person.id, origin, named.groups, now)
    }
    write().catch(failed)
  }

  function declaredOr(id: string, found: Remembered, snapshot: Snapshot): Principal {
    const { person } = found
    if (person !== undefined) requireActive(person)
    const declared = snapshot.principals.get(id)
    if (person === undefined) {
      if (declared === undefined) throw new TurnwardError('auth.unknown_person', { subject: id })
      return declared
    }
    const { kind, issuer, emails } = person
    const groups = person.groups.map(({ group }) => group)
    return principalFrom(found, snapshot, { id, kind, issuer, emails }, nobody, groups)
  }

  return {
    principalOf(named, snapshot) {
      const id = declaredAs(named.user, named.issuer, snapshot)?.id ?? userKey(named.user)
      const found = remembered.find(id)
      return found instanceof Promise ? found.then((read) => admit(named, id, read, snapshot)) : admit(named, id, found, snapshot)
    },
    principal(id, snapshot) {
      const found = remembered.find(id)
      return found instanceof Promise ? found.then((read) => declaredOr(id, read, snapshot)) : declaredOr(id, found, snapshot)
    },
    async roles(id, snapshot) {
      const found = await remembered.find(id)
      return rolesOf(declaredOr(id, found, snapshot), found.person?.roles ?? noNames, snapshot)
    },
  }
}

const noNames: readonly string[] = Object.freeze([])
/** Nobody says anything new of the person. */
const nobody = Object.freeze({ issuer: '', groups: noNames, emails: noNames })

/** The origin of groups that tokens of an issuer name. */
export function claimsOf(issuer: string): string {
  return `claims:${issuer}`
}

function requireActive({ id, active }: StoredPerson): void {
  if (!active) throw new TurnwardError('auth.disabled', { subject: id })
}

/** The principal of a person; the same object as long as nothing that it is made of has changed. */
function principalFrom(
  found: Remembered,
  { revision, principals }: Snapshot,
  { id, kind, issuer, emails }: Pick<Principal, 'id' | 'kind' | 'emails'> & { readonly issuer: string | null },
  named: Pick<NamedPerson, 'issuer' | 'groups' | 'emails'>,
  groups: readonly string[],
): Principal {
  const { made } = found
  const isMade = made?.revision === revision && made.by === named.issuer
  if (isMade && equalLists(made.groups, named.groups) && equalLists(made.emails, named.emails)) return made.principal
  const declared = principals.get(id)
  const principal: Principal = Object.freeze({
    id,
    kind: declared?.kind ?? kind,
    issuer,
    groups: union(declared?.groups ?? noNames, named.groups, groups),
    emails: union(declared?.emails ?? noNames, named.emails.length > 0 ? named.emails : emails),
    credentials: declared?.credentials ?? noCredentials,
  })
  found.made = { revision, by: named.issuer, groups: named.groups, emails: named.emails, principal }
  return principal
}

const noCredentials: ReadonlyMap<string, string> = new Map()

function union(...lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())]
}

/** What the store can find again. A group that is left out could be one that is forbidden something, so none is. */
function requireShortNames({ user, groups }: NamedPerson): void {
  if (user === '' || user.length > longestName || groups.some((group) => group.length > longestName))
    throw new TurnwardError('auth.unknown_person', { why: `names of people and groups must have 1 to ${longestName} characters` })
}

function equalLists(one: readonly string[], other: readonly string[]): boolean {
  return one === other || (one.length === other.length && one.every((name, index) => name === other[index]))
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  const names = new Set(one)
  const others = new Set(other)
  return names.size === others.size && other.every((name) => names.has(name))
}
