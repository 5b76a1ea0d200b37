/**
 * Revisions of the objects of the configuration that were made over the administration API: each holds all of them. One follows the other;
 * of two that are written at a time as the same one, one is written. The newest are kept, as a record and to go back to.
 */
import type { Kysely, Selectable } from 'kysely'
import type { ConfigRevisionsRow, StoreTables } from './tables.ts'

/** A revision without its objects. */
export interface RevisionFacts {
  /** From 1. */
  readonly revision: number
  /** Unix milliseconds. */
  readonly made: number
  readonly by: string
  readonly reason: string | null
  /** What was done, for people. */
  readonly summary: string
}

export interface StoredRevision extends RevisionFacts {
  /** JSON. */
  readonly objects: string
}

export interface ConfigRevisionTable {
  /** Adds the one after `revision - 1`. False when that is not the newest any more: nothing is written then. */
  add(revision: StoredRevision): Promise<boolean>
  /** Takes over one that was made, and put on record, elsewhere. */
  adopt(revision: StoredRevision): Promise<void>
  /** The newest; undefined when there was never any. */
  newest(): Promise<StoredRevision | undefined>
  /** Its number; 0 when there was never any. */
  newestNumber(): Promise<number>
  find(revision: number): Promise<StoredRevision | undefined>
  /** Newest first, those before a number. */
  list(before: number | undefined, most: number): Promise<RevisionFacts[]>
  /** What is not on record yet, oldest first. */
  unrecorded(): Promise<RevisionFacts[]>
  /** Takes it upon the caller to record it. False when another process has. */
  claim(revision: number): Promise<boolean>
  /** Gives back what could not be recorded. */
  unclaim(revision: number): Promise<void>
}

/** How many are kept. */
export const mostRevisions = 200

/** The table of revisions. Every call rejects with `store.failed` when the database cannot be used. */
export function configRevisionTable(database: Kysely<StoreTables>): ConfigRevisionTable {
  const facts = ['revision', 'made', 'made_by', 'reason', 'summary'] as const
  const newestNumber = async (within: Kysely<StoreTables>): Promise<number> => {
    const row = await within
      .selectFrom('config_revisions')
      .select(({ fn }) => fn.max('revision').as('revision'))
      .executeTakeFirst()
    return Number(row?.revision ?? 0)
  }
  const note = async (revision: number, from: number, to: number): Promise<boolean> => {
    const { numUpdatedRows } = await database
      .updateTable('config_revisions')
      .set({ noted: to })
      .where('revision', '=', revision)
      .where('noted', '=', from)
      .executeTakeFirst()
    return numUpdatedRows > 0n
  }
  return {
    add({ by, ...row }) {
      return database.transaction().execute(async (transaction) => {
        if ((await newestNumber(transaction)) !== row.revision - 1) return false
        const { numInsertedOrUpdatedRows = 0n } = await transaction
          .insertInto('config_revisions')
          .values({ ...row, made_by: by, noted: 0 })
          .onConflict((conflict) => conflict.column('revision').doNothing())
          .executeTakeFirst()
        if (numInsertedOrUpdatedRows === 0n) return false
        // What is not on record yet stays until it is.
        await transaction
          .deleteFrom('config_revisions')
          .where('revision', '<=', row.revision - mostRevisions)
          .where('noted', '=', 1)
          .execute()
        return true
      })
    },
    async adopt({ by, ...row }) {
      await database
        .insertInto('config_revisions')
        .values({ ...row, made_by: by, noted: 1 })
        .onConflict((conflict) => conflict.column('revision').doNothing())
        .execute()
    },
    async newest() {
      const row = await database.selectFrom('config_revisions').selectAll().orderBy('revision', 'desc').limit(1).executeTakeFirst()
      return row && storedOf(row)
    },
    newestNumber: () => newestNumber(database),
    async find(revision) {
      const row = await database.selectFrom('config_revisions').selectAll().where('revision', '=', revision).executeTakeFirst()
      return row && storedOf(row)
    },
    async list(before, most) {
      let query = database.selectFrom('config_revisions').select(facts)
      if (before !== undefined) query = query.where('revision', '<', before)
      return (await query.orderBy('revision', 'desc').limit(most).execute()).map(factsOf)
    },
    async unrecorded() {
      const rows = await database.selectFrom('config_revisions').select(facts).where('noted', '=', 0).orderBy('revision').execute()
      return rows.map(factsOf)
    },
    claim: (revision) => note(revision, 0, 1),
    async unclaim(revision) {
      await note(revision, 1, 0)
    },
  }
}

function factsOf({
  revision,
  made,
  made_by: by,
  reason,
  summary,
}: Pick<Selectable<ConfigRevisionsRow>, 'revision' | 'made' | 'made_by' | 'reason' | 'summary'>): RevisionFacts {
  return { revision: Number(revision), made: Number(made), by, reason, summary }
}

function storedOf({ objects, ...row }: Selectable<ConfigRevisionsRow>): StoredRevision {
  return { ...factsOf(row), objects }
}
