/** What was noted once in the life of an installation, beside everything else the replicas know in common: that a shared state was begun. */
import type { Kysely } from 'kysely'
import type { StoreTables } from './tables.ts'

export interface NotedMarkTable {
  /** Notes `at` (Unix milliseconds) under this name unless something is noted there. Resolves with what is, and whether it is this. */
  noteOnce(name: string, at: number): Promise<{ readonly at: number; readonly isNew: boolean }>
  /** Names that are noted and begin like this. */
  namesFrom(start: string): Promise<string[]>
}

const kind = 'state begun: '

/** Every call rejects with `store.failed` when the database cannot be used. */
export function notedMarkTable(database: Kysely<StoreTables>): NotedMarkTable {
  return {
    async noteOnce(mark, at) {
      const name = `${kind}${mark}`
      const { numInsertedOrUpdatedRows: inserted } = await database
        .insertInto('settings')
        .values({ name, value: String(at) })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .executeTakeFirst()
      if (inserted === 1n) return { at, isNew: true }
      const { value } = await database.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirstOrThrow()
      return { at: Number(value), isNew: false }
    },
    async namesFrom(start) {
      const rows = await database.selectFrom('settings').select('name').where('name', '>=', `${kind}${start}`).orderBy('name').execute()
      return rows
        .map(({ name }) => name)
        .filter((name) => name.startsWith(`${kind}${start}`))
        .map((name) => name.slice(kind.length))
    },
  }
}
