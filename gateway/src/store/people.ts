/**
 * People: whom issuers, directories and administrators have named, whether they may come in, and which groups each of them
 * was put in by whom. Knows nothing of what a group or a role allows.
 */
import type { Kysely, Selectable, Transaction } from 'kysely'
import { TurnwardError } from '../core/error.ts'
import type { PeopleRow } from './people-tables.ts'
import { writeRevocation } from './revocations.ts'
import type { StoreTables } from './tables.ts'

/** A person without their groups. Times are Unix milliseconds. */
export interface NewPerson {
  /** The principal's id. */
  readonly id: string
  /** Name of the issuer that speaks for the person; null where only the file or an administrator does. */
  readonly issuer: string | null
  readonly subject: string | null
  readonly kind: 'human' | 'workload'
  readonly name: string | null
  readonly emails: readonly string[]
  readonly active: boolean
  readonly roles: readonly string[]
  readonly created: number
  /** Last seen; null for never. */
  readonly seen: number | null
}

export interface PersonGroup {
  /** Who says so: `claims:ISSUER`, `scim:NAME`, `console`. */
  readonly origin: string
  readonly group: string
}

export interface StoredPerson extends NewPerson {
  readonly groups: readonly PersonGroup[]
  /** When anything but `seen` was changed. */
  readonly changed: number
}

/** That a person was changed, and when. */
export interface PersonChange {
  readonly id: string
  readonly changed: number
}

/** What can be changed of a person. */
export type PersonChanges = Partial<Pick<NewPerson, 'issuer' | 'subject' | 'kind' | 'name' | 'emails' | 'roles'>>

export interface PeopleTable {
  /** Adds a person; false when there is one with this id. */
  add(person: NewPerson, now: number): Promise<boolean>
  find(id: string): Promise<StoredPerson | undefined>
  /** People whose ids come after this one, in the order of their ids. */
  list(after: string, limit: number): Promise<StoredPerson[]>
  /** False when there is no such person. */
  change(id: string, changes: PersonChanges, now: number): Promise<boolean>
  /** Lets a person in, or shuts them out, which is a revocation at once. False when there is no such person. */
  setActive(id: string, active: boolean, now: number): Promise<boolean>
  /** Notes that the person was here. */
  see(id: string, now: number): Promise<void>
  /** Puts these in the place of the groups that this origin has given. */
  setGroups(id: string, origin: string, groups: readonly string[], now: number): Promise<void>
  /** Ids of those in a group by the word of one origin, in their order. */
  members(origin: string, group: string): Promise<string[]>
  addMembers(origin: string, group: string, people: readonly string[], now: number): Promise<void>
  /** Takes these out of the group, or all. */
  removeMembers(origin: string, group: string, people: readonly string[] | 'all', now: number): Promise<void>
  /** The group has another name: its members stay. */
  renameGroup(origin: string, from: string, to: string, now: number): Promise<void>
  /** When somebody was changed last; 0 for never. */
  lastChange(): Promise<number>
  /** Who was changed after this one, in the order of the changes; `id` of '' for all of a moment. */
  changedAfter(after: PersonChange, limit: number): Promise<PersonChange[]>
}

/** How long a person's being shut out is remembered as a moment: longer than any session or token lasts. */
const rememberedMs = 400 * 86_400_000

/** The table of people. Every call rejects with `store.failed` when the database cannot be used. */
export function peopleTable(database: Kysely<StoreTables>): PeopleTable {
  const within = <R>(work: (transaction: Transaction<StoreTables>) => Promise<R>): Promise<R> => database.transaction().execute(work)

  const changedAt = async (transaction: Kysely<StoreTables>, now: number): Promise<number> => {
    return Math.max(now, (await lastChange(transaction)) + 1)
  }
  const touch = async (transaction: Transaction<StoreTables>, people: readonly string[], now: number): Promise<void> => {
    const changed = await changedAt(transaction, now)
    for (const ids of chunks(people)) await transaction.updateTable('people').set({ changed }).where('id', 'in', ids).execute()
  }

  return {
    add(person, now) {
      return within(async (transaction) => {
        const changed = await changedAt(transaction, now)
        const { emails, roles, active, ...plain } = person
        const made = await transaction
          .insertInto('people')
          .values({ ...plain, emails: JSON.stringify(emails), roles: JSON.stringify(roles), active: active ? 1 : 0, changed })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst()
        return (made.numInsertedOrUpdatedRows ?? 0n) > 0n
      })
    },
    async find(id) {
      const row = await database.selectFrom('people').selectAll().where('id', '=', id).executeTakeFirst()
      return row === undefined ? undefined : (await withGroups(database, [row]))[0]
    },
    async list(after, limit) {
      const rows = await database.selectFrom('people').selectAll().where('id', '>', after).orderBy('id').limit(limit).execute()
      return withGroups(database, rows)
    },
    change(id, { emails, roles, ...plain }, now) {
      return within(async (transaction) => {
        const written = {
          ...plain,
          ...(emails === undefined ? {} : { emails: JSON.stringify(emails) }),
          ...(roles === undefined ? {} : { roles: JSON.stringify(roles) }),
          changed: await changedAt(transaction, now),
        }
        const result = await transaction.updateTable('people').set(written).where('id', '=', id).executeTakeFirst()
        return result.numUpdatedRows > 0n
      })
    },
    setActive(id, active, now) {
      return within(async (transaction) => {
        const changed = await changedAt(transaction, now)
        const result = await transaction
          .updateTable('people')
          .set({ active: active ? 1 : 0, changed })
          .where('id', '=', id)
          .executeTakeFirst()
        if (result.numUpdatedRows === 0n) return false
        if (!active) await writeRevocation(transaction, { kind: 'person', id, at: now, until: now + rememberedMs })
        return true
      })
    },
    async see(id, now) {
      await database.updateTable('people').set({ seen: now }).where('id', '=', id).execute()
    },
    async setGroups(id, origin, groups, now) {
      await within(async (transaction) => {
        const before = await transaction
          .selectFrom('person_groups')
          .select('group_name')
          .where('person', '=', id)
          .where('origin', '=', origin)
          .execute()
        const had = new Set(before.map(({ group_name: group }) => group))
        const wanted = new Set(groups)
        const gone = [...had].filter((group) => !wanted.has(group))
        const added = [...wanted].filter((group) => !had.has(group))
        if (gone.length + added.length === 0) return
        for (const names of chunks(gone)) {
          const given = transaction.deleteFrom('person_groups').where('person', '=', id).where('origin', '=', origin)
          await given.where('group_name', 'in', names).execute()
        }
        await insertGroups(
          transaction,
          added.map((group) => ({ person: id, origin, group_name: group })),
        )
        await touch(transaction, [id], now)
      })
    },
    members: (origin, group) => membersOf(database, origin, group),
    async addMembers(origin, group, people, now) {
      await within(async (transaction) => {
        await insertGroups(
          transaction,
          people.map((person) => ({ person, origin, group_name: group })),
        )
        await touch(transaction, people, now)
      })
    },
    async removeMembers(origin, group, people, now) {
      await within(async (transaction) => {
        const leaving = people === 'all' ? await membersOf(transaction, origin, group) : people
        for (const ids of chunks(leaving)) {
          const given = transaction.deleteFrom('person_groups').where('origin', '=', origin).where('group_name', '=', group)
          await given.where('person', 'in', ids).execute()
        }
        await touch(transaction, leaving, now)
      })
    },
    async renameGroup(origin, from, to, now) {
      await within(async (transaction) => {
        const members = await membersOf(transaction, origin, from)
        await transaction
          .updateTable('person_groups')
          .set({ group_name: to })
          .where('origin', '=', origin)
          .where('group_name', '=', from)
          .execute()
        await touch(transaction, members, now)
      })
    },
    lastChange: () => lastChange(database),
    async changedAfter(after, limit) {
      const rows = await database
        .selectFrom('people')
        .select(['id', 'changed'])
        .where('changed', '>=', after.changed)
        .where((is) => is.or([is('changed', '>', after.changed), is('id', '>', after.id)]))
        .orderBy('changed')
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map((row) => ({ id: row.id, changed: Number(row.changed) }))
    },
  }
}

async function lastChange(database: Kysely<StoreTables>): Promise<number> {
  const row = await database
    .selectFrom('people')
    .select((expression) => expression.fn.max('changed').as('changed'))
    .executeTakeFirst()
  return Number(row?.changed ?? 0)
}

async function membersOf(database: Kysely<StoreTables>, origin: string, group: string): Promise<string[]> {
  const rows = await database
    .selectFrom('person_groups')
    .select('person')
    .where('origin', '=', origin)
    .where('group_name', '=', group)
    .orderBy('person')
    .execute()
  return rows.map(({ person }) => person)
}

async function insertGroups(
  transaction: Transaction<StoreTables>,
  rows: readonly { readonly person: string; readonly origin: string; readonly group_name: string }[],
): Promise<void> {
  for (const some of chunks(rows))
    await transaction
      .insertInto('person_groups')
      .values([...some])
      .onConflict((conflict) => conflict.doNothing())
      .execute()
}

/** Below the number of parameters a statement may have. */
const chunkSize = 300

function chunks<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / chunkSize) }, (_, index) => all.slice(index * chunkSize, (index + 1) * chunkSize))
}

async function withGroups(database: Kysely<StoreTables>, rows: readonly Selectable<PeopleRow>[]): Promise<StoredPerson[]> {
  const groups = new Map<string, PersonGroup[]>(rows.map(({ id }) => [id, []]))
  for (const ids of chunks([...groups.keys()])) {
    const given = await database
      .selectFrom('person_groups')
      .selectAll()
      .where('person', 'in', ids)
      .orderBy('origin')
      .orderBy('group_name')
      .execute()
    for (const { person, origin, group_name: group } of given) groups.get(person)?.push({ origin, group })
  }
  return rows.map((row) => ({
    ...row,
    kind: row.kind === 'workload' ? 'workload' : 'human',
    active: Number(row.active) === 1,
    emails: readNames(row.id, row.emails),
    roles: readNames(row.id, row.roles),
    groups: groups.get(row.id) ?? [],
  }))
}

function readNames(id: string, text: string): readonly string[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (cause) {
    throw new TurnwardError('store.failed', { subject: id, why: 'what is kept of the person is not JSON', cause })
  }
  if (!Array.isArray(parsed) || !parsed.every((one) => typeof one === 'string'))
    throw new TurnwardError('store.failed', { subject: id, why: 'what is kept of the person is not a list of names' })
  return parsed
}
