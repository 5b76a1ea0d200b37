/**
 * What administrators have stopped: agents, people and workloads, tools, servers, sessions. Every process looks here each second. Rows
 * stay for a while after they were lifted: who did what is put on record by one of the processes that see it.
 */
import { stopKindSchema } from '@turnward/contract/api/stops'
import type { Kysely } from 'kysely'
import type { z } from 'zod'
import { TurnwardError } from '../core/error.ts'
import type { StopsRow, StoreTables } from './tables.ts'

export const stopKinds = stopKindSchema.options
export type StopKind = z.output<typeof stopKindSchema>

export interface Stop {
  readonly id: string
  readonly kind: StopKind
  /** Of a tool also a pattern. */
  readonly name: string
  /** For administrators; null when none was given. */
  readonly reason: string | null
  readonly by: string
  /** Unix milliseconds. */
  readonly made: number
  /** Unix milliseconds at which it ends by itself; null when somebody must lift it. */
  readonly until: number | null
}

/** What has been done and is not on record yet. */
export interface UnrecordedStop {
  readonly stop: Stop
  readonly what: 'made' | 'lifted'
  /** Who did it. */
  readonly by: string
}

export interface StopTable {
  /** Rejects with `stop.too_many` when as many stand as may. */
  add(stop: Stop): Promise<void>
  /** Takes over one that was made, and put on record, elsewhere. False when it is known here already, also as lifted. */
  adopt(stop: Stop): Promise<boolean>
  /** Lifts one that stands. False when there is none. */
  lift(id: string, by: string, now: number): Promise<boolean>
  /** Those that stand, oldest first. */
  standing(now: number): Promise<Stop[]>
  /** What is to be put on record. */
  unrecorded(): Promise<UnrecordedStop[]>
  /** Takes it upon the caller to record what was done. False when another process has. */
  claim(id: string, what: UnrecordedStop['what']): Promise<boolean>
  /** Gives back what could not be recorded. */
  unclaim(id: string, what: UnrecordedStop['what']): Promise<void>
  /** Forgets those that ended before this moment. */
  sweep(endedBefore: number): Promise<void>
}

/** How many may stand at a time: each call looks at them. */
const mostStanding = 1000

/** How far the record of one has come, as `noted` says it. */
const noted = { made: 1, lifted: 2 } as const

/** The table of stops. Every call rejects with `store.failed` when the database cannot be used. */
export function stopTable(database: Kysely<StoreTables>): StopTable {
  const standing = async (within: Kysely<StoreTables>, now: number): Promise<Stop[]> => {
    const rows = await within
      .selectFrom('stops')
      .selectAll()
      .where('lifted', 'is', null)
      .where((is) => is.or([is('until', 'is', null), is('until', '>', now)]))
      .orderBy('made')
      .orderBy('id')
      .execute()
    return rows.map(stopOf)
  }
  return {
    add(stop) {
      return database.transaction().execute(async (transaction) => {
        if ((await standing(transaction, stop.made)).length >= mostStanding)
          throw new TurnwardError('stop.too_many', { why: `${mostStanding} stand already` })
        const { by, ...row } = stop
        await transaction
          .insertInto('stops')
          .values({ ...row, made_by: by, lifted: null, lifted_by: null, noted: 0 })
          .execute()
      })
    },
    async adopt({ by, ...row }) {
      const { numInsertedOrUpdatedRows = 0n } = await database
        .insertInto('stops')
        .values({ ...row, made_by: by, lifted: null, lifted_by: null, noted: noted.made })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .executeTakeFirst()
      return numInsertedOrUpdatedRows > 0n
    },
    async lift(id, by, now) {
      const { numUpdatedRows } = await database
        .updateTable('stops')
        .set({ lifted: now, lifted_by: by })
        .where('id', '=', id)
        .where('lifted', 'is', null)
        .where((is) => is.or([is('until', 'is', null), is('until', '>', now)]))
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },
    standing: (now) => standing(database, now),
    async unrecorded() {
      const rows = await database
        .selectFrom('stops')
        .selectAll()
        .where((is) => is.or([is('noted', '=', 0), is.and([is('noted', '<', noted.lifted), is('lifted', 'is not', null)])]))
        .orderBy('made')
        .execute()
      return rows.map((row) =>
        Number(row.noted) === 0
          ? { stop: stopOf(row), what: 'made', by: row.made_by }
          : { stop: stopOf(row), what: 'lifted', by: row.lifted_by ?? row.made_by },
      )
    },
    async claim(id, what) {
      const { numUpdatedRows } = await database
        .updateTable('stops')
        .set({ noted: noted[what] })
        .where('id', '=', id)
        .where('noted', '=', noted[what] - 1)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },
    async unclaim(id, what) {
      await database
        .updateTable('stops')
        .set({ noted: noted[what] - 1 })
        .where('id', '=', id)
        .execute()
    },
    async sweep(endedBefore) {
      await database.deleteFrom('stops').where('lifted', '<', endedBefore).where('noted', '=', noted.lifted).execute()
      await database
        .deleteFrom('stops')
        .where('until', '<', endedBefore)
        .where('lifted', 'is', null)
        .where('noted', '=', noted.made)
        .execute()
    },
  }
}

function stopOf({ id, kind, name, reason, made_by: by, made, until }: StopsRow): Stop {
  return { id, kind: kind as StopKind, name, reason, by, made: Number(made), until: until === null ? null : Number(until) }
}
