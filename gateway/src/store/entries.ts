/** Expiring key-value entries behind the shared state. Values are JSON text; what they mean is decided above. */
import { sql, type Kysely } from 'kysely'
import { TurnwardError } from '../core/error.ts'
import type { SqliteThread } from './sqlite-thread.ts'
import type { StoreTables } from './tables.ts'

/** One stored entry. `expires` is in Unix milliseconds. */
export interface Entry {
  readonly namespace: string
  readonly key: string
  readonly value: string
  readonly expires: number
}

/** A change to write: an entry, or the removal of one. */
export type EntryChange = Entry | { readonly namespace: string; readonly key: string; readonly value: null }

export interface EntryTable {
  /** Writes all changes or none. Each (namespace, key) may occur once. On the way of every call: it does without Kysely. */
  write(changes: readonly EntryChange[]): Promise<void>
  /** The entry unless it has expired at `now`. */
  read(namespace: string, key: string, now: number): Promise<Entry | undefined>
  /** Every entry that lives at `now` and is in none of the namespaces `without`, in pages, those that expire first in front. */
  pages(now: number, without?: readonly string[], pageSize?: number): AsyncIterable<Entry[]>
  /** The keys of a namespace that live at `now`, in pages. */
  keys(namespace: string, now: number, pageSize?: number): AsyncIterable<string[]>
  /** Removes what has expired at `now`. */
  purge(now: number): Promise<void>
}

const upsert = `insert into entries (namespace, key, value, expires) values (?, ?, ?, ?)
  on conflict (namespace, key) do update set value = excluded.value, expires = excluded.expires`
const remove = 'delete from entries where namespace = ? and key = ?'

/** The table of entries. Every call rejects with `store.failed` when the database cannot be used. */
export function entryTable(database: Kysely<StoreTables>, thread: SqliteThread): EntryTable {
  return {
    async write(changes) {
      const upserts: string[] = []
      const removals: string[] = []
      for (const change of changes) {
        const { namespace, key, value } = change
        if (value === null) removals.push(namespace, key)
        else if (Number.isFinite(change.expires)) upserts.push(namespace, key, value, String(change.expires))
        else throw new TurnwardError('store.failed', { why: 'an entry has no time at which it expires' })
      }
      const writes = [
        { sql: upsert, width: 4, parameters: upserts.join('\0') },
        { sql: remove, width: 2, parameters: removals.join('\0') },
      ]
      await thread.write(writes.filter(({ parameters }) => parameters !== ''))
    },
    read(namespace, key, now) {
      return database
        .selectFrom('entries')
        .selectAll()
        .where('namespace', '=', namespace)
        .where('key', '=', key)
        .where('expires', '>', now)
        .executeTakeFirst()
    },
    async *pages(now, without = [], pageSize = 1000) {
      let after = { expires: now, namespace: '\u{10ffff}', key: '' }
      for (;;) {
        const page = await database
          .selectFrom('entries')
          .selectAll()
          .where(sql<boolean>`(expires, namespace, key) > (${after.expires}, ${after.namespace}, ${after.key})`)
          .where('namespace', 'not in', without.length === 0 ? [''] : without)
          .orderBy('expires')
          .orderBy('namespace')
          .orderBy('key')
          .limit(pageSize)
          .execute()
        const last = page.at(-1)
        if (last === undefined) return
        yield page
        after = last
      }
    },
    async *keys(namespace, now, pageSize = 10_000) {
      for (let after = ''; ;) {
        const page = await database
          .selectFrom('entries')
          .select('key')
          .where('namespace', '=', namespace)
          .where('key', '>', after)
          .where('expires', '>', now)
          .orderBy('key')
          .limit(pageSize)
          .execute()
        const last = page.at(-1)
        if (last === undefined) return
        yield page.map(({ key }) => key)
        after = last.key
      }
    },
    async purge(now) {
      await database.deleteFrom('entries').where('expires', '<=', now).execute()
    },
  }
}
