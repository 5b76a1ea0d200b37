/**
 * What directories have said of people and groups: the records they go on from, by ids of ours. Who is in a group is kept with
 * the people. A record is changed from the version that was read, or not at all.
 */
import type { Kysely, Selectable } from 'kysely'
import type { DirectoryGroupsRow, DirectoryUsersRow } from './people-tables.ts'
import type { StoreTables } from './tables.ts'

/** A person as one directory knows them. Times are Unix milliseconds. */
export interface DirectoryUser {
  readonly id: string
  /** Name of the directory. */
  readonly source: string
  /** The principal's id. */
  readonly person: string
  /** The user name in lower case: no two have the same. */
  readonly nameKey: string
  readonly externalId: string | null
  /** JSON of what the directory said. */
  readonly attributes: string
  readonly created: number
  readonly changed: number
  readonly version: number
}

export interface DirectoryGroup {
  readonly id: string
  readonly source: string
  readonly name: string
  readonly externalId: string | null
  readonly created: number
  readonly changed: number
  readonly version: number
}

/** A record of either kind, as the table of its kind keeps it. */
export interface Records<R extends { readonly id: string; readonly version: number }> {
  /** False when its name is taken. */
  add(record: R): Promise<boolean>
  find(source: string, id: string): Promise<R | undefined>
  findByName(source: string, name: string): Promise<R | undefined>
  findByExternalId(source: string, externalId: string): Promise<R[]>
  /** In the order they were made. */
  page(source: string, offset: number, limit: number): Promise<R[]>
  count(source: string): Promise<number>
  /** Puts it in the place of the version before it. `stale`: another version is there; `taken`: another one has its name. */
  replace(record: R): Promise<'done' | 'stale' | 'taken'>
  remove(source: string, id: string): Promise<boolean>
}

export interface DirectoryTable {
  readonly users: Records<DirectoryUser> & {
    findMany(source: string, ids: readonly string[]): Promise<DirectoryUser[]>
    findByPeople(source: string, people: readonly string[]): Promise<DirectoryUser[]>
  }
  readonly groups: Records<DirectoryGroup>
  /** Names of the directories that have told of anybody, in their order. */
  sources(): Promise<string[]>
}

/** Below the number of parameters a statement may have. */
const atOnce = 500

/** The tables of directories. Every call rejects with `store.failed` when the database cannot be used. */
export function directoryTable(database: Kysely<StoreTables>): DirectoryTable {
  const count = async (table: 'directory_users' | 'directory_groups', source: string): Promise<number> => {
    const row = await database
      .selectFrom(table)
      .select((expression) => expression.fn.countAll<number>().as('count'))
      .where('source', '=', source)
      .executeTakeFirst()
    return Number(row?.count ?? 0)
  }
  const remove = async (table: 'directory_users' | 'directory_groups', source: string, id: string): Promise<boolean> => {
    const result = await database.deleteFrom(table).where('source', '=', source).where('id', '=', id).executeTakeFirst()
    return result.numDeletedRows > 0n
  }
  const users = (source: string) => database.selectFrom('directory_users').selectAll().where('source', '=', source)
  const some = async (source: string, by: 'id' | 'person', values: readonly string[]): Promise<DirectoryUser[]> => {
    const found: DirectoryUser[] = []
    for (let start = 0; start < values.length; start += atOnce) {
      const rows = await users(source)
        .where(by, 'in', values.slice(start, start + atOnce))
        .execute()
      found.push(...rows.map(userOf))
    }
    return found
  }
  const groups = (source: string) => database.selectFrom('directory_groups').selectAll().where('source', '=', source)

  return {
    async sources() {
      const ofUsers = await database.selectFrom('directory_users').select('source').distinct().execute()
      const ofGroups = await database.selectFrom('directory_groups').select('source').distinct().execute()
      return [...new Set([...ofUsers, ...ofGroups].map(({ source }) => source))].toSorted()
    },
    users: {
      async add(user) {
        const made = await database
          .insertInto('directory_users')
          .values(userRow(user))
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst()
        return (made.numInsertedOrUpdatedRows ?? 0n) > 0n
      },
      find: async (source, id) => readUser(await users(source).where('id', '=', id).executeTakeFirst()),
      findByName: async (source, name) => readUser(await users(source).where('name_key', '=', name).executeTakeFirst()),
      findMany: (source, ids) => some(source, 'id', ids),
      findByPeople: (source, people) => some(source, 'person', people),
      findByExternalId: async (source, externalId) =>
        (await users(source).where('external_id', '=', externalId).orderBy('created').orderBy('id').execute()).map(userOf),
      page: async (source, offset, limit) =>
        (await users(source).orderBy('created').orderBy('id').offset(offset).limit(limit).execute()).map(userOf),
      count: (source) => count('directory_users', source),
      async replace(user) {
        const { nameKey, id, source, version } = user
        const other = await users(source).where('name_key', '=', nameKey).where('id', '!=', id).executeTakeFirst()
        if (other !== undefined) return 'taken'
        const result = await database
          .updateTable('directory_users')
          .set(userRow(user))
          .where('id', '=', id)
          .where('source', '=', source)
          .where('version', '=', version - 1)
          .executeTakeFirst()
        return result.numUpdatedRows > 0n ? 'done' : 'stale'
      },
      remove: (source, id) => remove('directory_users', source, id),
    },
    groups: {
      async add(group) {
        const made = await database
          .insertInto('directory_groups')
          .values(groupRow(group))
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst()
        return (made.numInsertedOrUpdatedRows ?? 0n) > 0n
      },
      find: async (source, id) => readGroup(await groups(source).where('id', '=', id).executeTakeFirst()),
      findByName: async (source, name) => readGroup(await groups(source).where('name', '=', name).executeTakeFirst()),
      findByExternalId: async (source, externalId) =>
        (await groups(source).where('external_id', '=', externalId).orderBy('created').orderBy('id').execute()).map(groupOf),
      page: async (source, offset, limit) =>
        (await groups(source).orderBy('created').orderBy('id').offset(offset).limit(limit).execute()).map(groupOf),
      count: (source) => count('directory_groups', source),
      async replace(group) {
        const { name, id, source, version } = group
        const other = await groups(source).where('name', '=', name).where('id', '!=', id).executeTakeFirst()
        if (other !== undefined) return 'taken'
        const result = await database
          .updateTable('directory_groups')
          .set(groupRow(group))
          .where('id', '=', id)
          .where('source', '=', source)
          .where('version', '=', version - 1)
          .executeTakeFirst()
        return result.numUpdatedRows > 0n ? 'done' : 'stale'
      },
      remove: (source, id) => remove('directory_groups', source, id),
    },
  }
}

function userRow({ nameKey, externalId, ...user }: DirectoryUser): DirectoryUsersRow {
  return { ...user, name_key: nameKey, external_id: externalId }
}

function userOf({ name_key: nameKey, external_id: externalId, ...row }: Selectable<DirectoryUsersRow>): DirectoryUser {
  return { ...row, nameKey, externalId }
}

function readUser(row: Selectable<DirectoryUsersRow> | undefined): DirectoryUser | undefined {
  return row === undefined ? undefined : userOf(row)
}

function groupRow({ externalId, ...group }: DirectoryGroup): DirectoryGroupsRow {
  return { ...group, external_id: externalId }
}

function groupOf({ external_id: externalId, ...row }: Selectable<DirectoryGroupsRow>): DirectoryGroup {
  return { ...row, externalId }
}

function readGroup(row: Selectable<DirectoryGroupsRow> | undefined): DirectoryGroup | undefined {
  return row === undefined ? undefined : groupOf(row)
}
