/** Expiring key-value entries behind the shared state. Values are JSON text; what they mean is decided above. */
import { sql, type Kysely } from 'kysely'
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
  /** Writes all changes or none. Each (namespace, key) may occur once. */
  write(changes: readonly EntryChange[]): Promise<void>
  /** The entry unless it has expired at `now`. */
  read(namespace: string, key: string, now: number): Promise<Entry | undefined>
  /** Removes and returns in one statement: of two callers one gets it. */
  take(namespace: string, key: string, now: number): Promise<Entry | undefined>
  /** Every entry that lives at `now`, in pages, those that expire first in front. */
  pages(now: number, pageSize?: number): AsyncIterable<Entry[]>
  /** Removes what has expired at `now`. */
  purge(now: number): Promise<void>
}

/** Four parameters an entry; SQLite takes 32,766 in a statement. */
const rowsPerStatement = 500

/** The table of entries. Every call rejects with `store.failed` when the database cannot be used. */
export function entryTable(database: Kysely<StoreTables>): EntryTable {
  return {
    async write(changes) {
      const upserts: Entry[] = []
      const removals = new Map<string, string[]>()
      for (const change of changes) {
        if (change.value !== null) upserts.push(change)
        else (removals.get(change.namespace) ?? newList(removals, change.namespace)).push(change.key)
      }
      await database.transaction().execute(async (transaction) => {
        for (const rows of chunks(upserts)) {
          await transaction
            .insertInto('entries')
            .values(rows)
            .onConflict((conflict) =>
              conflict.columns(['namespace', 'key']).doUpdateSet({ value: sql`excluded.value`, expires: sql`excluded.expires` }),
            )
            .execute()
        }
        for (const [namespace, keys] of removals) {
          for (const some of chunks(keys)) {
            await transaction.deleteFrom('entries').where('namespace', '=', namespace).where('key', 'in', some).execute()
          }
        }
      })
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
    async take(namespace, key, now) {
      const row = await database
        .deleteFrom('entries')
        .where('namespace', '=', namespace)
        .where('key', '=', key)
        .returningAll()
        .executeTakeFirst()
      return row !== undefined && row.expires > now ? row : undefined
    },
    async *pages(now, pageSize = 1000) {
      let after = { expires: now, namespace: '\u{10ffff}', key: '' }
      for (;;) {
        const page = await database
          .selectFrom('entries')
          .selectAll()
          .where(sql<boolean>`(expires, namespace, key) > (${after.expires}, ${after.namespace}, ${after.key})`)
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
    async purge(now) {
      await database.deleteFrom('entries').where('expires', '<=', now).execute()
    },
  }
}

function newList(lists: Map<string, string[]>, name: string): string[] {
  const list: string[] = []
  lists.set(name, list)
  return list
}

function* chunks<T>(items: readonly T[]): Generator<T[]> {
  for (let start = 0; start < items.length; start += rowsPerStatement) yield items.slice(start, start + rowsPerStatement)
}
