/**
 * What was done with the command line, until it is on record: a running gateway alone writes the decision log, so a verb notes here what it
 * is about to do, in the database that it is about to change, and a gateway that sees the note puts it on record.
 */
import type { Kysely } from 'kysely'
import { TurnwardError } from '../core/error.ts'
import type { StoreTables } from './tables.ts'

export interface NotedAct {
  /** Of its record: `dec_…`. */
  readonly id: string
  /** Unix milliseconds. */
  readonly time: number
  readonly by: string
  /** `keys.revoke` */
  readonly act: string
  readonly subject: string
  /** In one sentence, without a secret. */
  readonly reason: string
}

export interface ActTable {
  /** Rejects with `audit.backlog` when as many wait as may. */
  note(act: NotedAct): Promise<void>
  /** What is not on record, oldest first; at most `limit`, without it a hundred. */
  unrecorded(limit?: number): Promise<NotedAct[]>
  /** How many are not on record. */
  count(): Promise<number>
  /** Takes it upon the caller to record it, for a minute. False when another process has. */
  claim(id: string, now: number): Promise<boolean>
  /** Gives back what could not be recorded. */
  unclaim(id: string): Promise<void>
  /** Forgets what is on record. */
  forget(id: string): Promise<void>
}

/** How many may wait to be recorded. */
export const mostWaiting = 10_000
const mostAtOnce = 100
/** A process that has taken one and ended takes nothing from the record: another one writes it, if need be twice. */
const claimedForMs = 60_000

/** The table of acts. Every call rejects with `store.failed` when the database cannot be used. */
export function actTable(database: Kysely<StoreTables>): ActTable {
  const count = async (within: Kysely<StoreTables>): Promise<number> => {
    const row = await within
      .selectFrom('noted_acts')
      .select(({ fn }) => fn.countAll().as('count'))
      .executeTakeFirst()
    return Number(row?.count ?? 0)
  }
  return {
    note({ by, ...row }) {
      return database.transaction().execute(async (transaction) => {
        if ((await count(transaction)) >= mostWaiting)
          throw new TurnwardError('audit.backlog', {
            why: `${mostWaiting} changes that were made with the command line are not on record`,
            fix: 'Start a gateway on this configuration, which puts them on record; then try again.',
          })
        await transaction
          .insertInto('noted_acts')
          .values({ ...row, done_by: by, claimed: 0 })
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute()
      })
    },
    async unrecorded(limit = mostAtOnce) {
      const rows = await database.selectFrom('noted_acts').selectAll().orderBy('time').orderBy('id').limit(limit).execute()
      return rows.map(({ done_by: by, claimed: _claimed, ...row }) => ({ ...row, time: Number(row.time), by }))
    },
    count: () => count(database),
    async claim(id, now) {
      const { numUpdatedRows } = await database
        .updateTable('noted_acts')
        .set({ claimed: now })
        .where('id', '=', id)
        .where('claimed', '<=', now - claimedForMs)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },
    async unclaim(id) {
      await database.updateTable('noted_acts').set({ claimed: 0 }).where('id', '=', id).execute()
    },
    async forget(id) {
      await database.deleteFrom('noted_acts').where('id', '=', id).execute()
    },
  }
}
