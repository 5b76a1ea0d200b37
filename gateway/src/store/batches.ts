/**
 * Batches and their lines: what was asked, and what came of each line, which is there once and never changes. Whatever says
 * something of a caller or of a call comes here sealed; who works on a batch is known elsewhere.
 */
import { sql, type Kysely } from 'kysely'
import type { StoreKind } from './migrations.ts'
import type { StoreTables } from './tables.ts'
import { takeTurns } from './taking-turns.ts'

export interface StoredBatch {
  /** Keyed hash of its owner and its id. */
  readonly key: string
  readonly owner: string
  /** Sealed; as it was asked for. */
  readonly facts: string
  /** Unix milliseconds; so are all times. */
  readonly created: number
  /** Lines that have not run by then never will. */
  readonly expires: number
  /** Nothing is known of it from then on. */
  readonly forgotten: number
  /** When somebody asked that it ends early. */
  readonly cancelled: number | null
  readonly ended: number | null
  /** Sealed: what came of it, once it has ended. */
  readonly end: string | null
}

export interface NewLine {
  /** Sealed: what its caller calls it, and what is asked. */
  readonly name: string
  readonly request: string
}

export interface WaitingLine extends NewLine {
  readonly line: number
}

export type LineOutcome = 'ok' | 'error' | 'cancelled' | 'expired'

export interface DoneLine {
  readonly line: number
  readonly name: string
  readonly outcome: LineOutcome
  /** Sealed; null for one that has not run. */
  readonly result: string | null
}

export type LineCounts = Readonly<Record<LineOutcome | 'waiting', number>>

/** How many batches one owner may have. */
export interface BatchBounds {
  /** That have not ended. */
  readonly open: number
  readonly kept: number
}

export interface BatchTable {
  /** Stores a batch with its lines; it is there for nobody until all of them are. False when its owner has too many. */
  begin(batch: StoredBatch, lines: AsyncIterable<NewLine> | Iterable<NewLine>, most: BatchBounds): Promise<boolean>
  find(key: string, now: number): Promise<StoredBatch | undefined>
  /** Newest first. */
  list(owner: string, now: number): Promise<StoredBatch[]>
  /** All that have not ended, whoever's they are, oldest first. */
  open(): Promise<StoredBatch[]>
  /** Notes that it is to end early, unless that was asked for before, or it has ended. */
  cancel(key: string, at: number): Promise<void>
  /** Lines behind this one that nothing has come of yet, in order. */
  waiting(key: string, after: number, most: number): Promise<WaitingLine[]>
  /** Lines behind this one that something has come of, in order. */
  done(key: string, after: number, most: number): Promise<DoneLine[]>
  /** Notes what came of a line, and forgets what was asked. False when something had come of it already. */
  finishLine(key: string, line: number, outcome: LineOutcome, result: string): Promise<boolean>
  /** The same of every line that nothing has come of. */
  finishWaiting(key: string, outcome: LineOutcome): Promise<void>
  counts(key: string): Promise<LineCounts>
  /** Notes that it has ended. False when it had already. */
  finish(key: string, at: number, end: string): Promise<boolean>
  /** Forgets the lines of one whose results are elsewhere. */
  removeLines(key: string): Promise<void>
  remove(key: string): Promise<void>
  /** Removes what is forgotten by now, and what was begun long ago and never became whole. */
  purge(now: number): Promise<void>
}

/** What one statement writes at most. */
const linesAtOnce = 100
const charactersAtOnce = 1_000_000
/** Nobody takes this long to store one. */
const unfinishedMs = 3_600_000

const columns = ['key', 'owner', 'facts', 'created', 'expires', 'forgotten', 'cancelled', 'ended', 'end'] as const
const none: LineCounts = { waiting: 0, ok: 0, error: 0, cancelled: 0, expired: 0 }

/** Every call rejects with `store.failed` when the database cannot be used. */
export function batchTable(database: Kysely<StoreTables>, kind: StoreKind): BatchTable {
  async function takeRoom(batch: StoredBatch, most: BatchBounds): Promise<boolean> {
    return database.transaction().execute(async (transaction) => {
      await takeTurns(transaction, kind, batch.owner)
      const { kept, ended } = await transaction
        .selectFrom('kept_batches')
        .select([sql<number>`count(*)`.as('kept'), sql<number>`count(ended)`.as('ended')])
        .where('owner', '=', batch.owner)
        .where('forgotten', '>', batch.created)
        .executeTakeFirstOrThrow()
      if (kept >= most.kept || kept - ended >= most.open) return false
      await transaction
        .insertInto('kept_batches')
        .values({ ...batch, is_whole: 0 })
        .execute()
      return true
    })
  }
  async function addLines(rows: readonly (WaitingLine & { readonly key: string })[]): Promise<void> {
    if (rows.length === 0) return
    await database
      .insertInto('batch_lines')
      .values(rows.map((row) => ({ ...row, outcome: null, result: null })))
      .execute()
  }
  async function drop(key: string): Promise<void> {
    await database.deleteFrom('batch_lines').where('key', '=', key).execute()
    await database.deleteFrom('kept_batches').where('key', '=', key).execute()
  }
  return {
    async begin(batch, lines, most) {
      if (!(await takeRoom(batch, most))) return false
      let rows: (WaitingLine & { readonly key: string })[] = []
      let characters = 0
      let line = 0
      for await (const { name, request } of lines) {
        line += 1
        rows.push({ key: batch.key, line, name, request })
        characters += name.length + request.length
        if (rows.length < linesAtOnce && characters < charactersAtOnce) continue
        await addLines(rows)
        rows = []
        characters = 0
      }
      await addLines(rows)
      await database.updateTable('kept_batches').set({ is_whole: 1 }).where('key', '=', batch.key).execute()
      return true
    },
    find(key, now) {
      return database
        .selectFrom('kept_batches')
        .select(columns)
        .where('key', '=', key)
        .where('forgotten', '>', now)
        .where('is_whole', '=', 1)
        .executeTakeFirst()
    },
    list(owner, now) {
      return database
        .selectFrom('kept_batches')
        .select(columns)
        .where('owner', '=', owner)
        .where('forgotten', '>', now)
        .where('is_whole', '=', 1)
        .orderBy('created', 'desc')
        .orderBy('key', 'desc')
        .execute()
    },
    open() {
      return database
        .selectFrom('kept_batches')
        .select(columns)
        .where('ended', 'is', null)
        .where('is_whole', '=', 1)
        .orderBy('created')
        .orderBy('key')
        .execute()
    },
    async cancel(key, at) {
      await database
        .updateTable('kept_batches')
        .set({ cancelled: at })
        .where('key', '=', key)
        .where('cancelled', 'is', null)
        .where('ended', 'is', null)
        .execute()
    },
    waiting(key, after, most) {
      return database
        .selectFrom('batch_lines')
        .select(['line', 'name', 'request'])
        .where('key', '=', key)
        .where('line', '>', after)
        .where('outcome', 'is', null)
        .orderBy('line')
        .limit(most)
        .execute()
    },
    async done(key, after, most) {
      const rows = await database
        .selectFrom('batch_lines')
        .select(['line', 'name', 'outcome', 'result'])
        .where('key', '=', key)
        .where('line', '>', after)
        .where('outcome', 'is not', null)
        .orderBy('line')
        .limit(most)
        .execute()
      return rows as DoneLine[]
    },
    async finishLine(key, line, outcome, result) {
      const { numUpdatedRows } = await database
        .updateTable('batch_lines')
        .set({ outcome, result, request: '' })
        .where('key', '=', key)
        .where('line', '=', line)
        .where('outcome', 'is', null)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },
    async finishWaiting(key, outcome) {
      await database.updateTable('batch_lines').set({ outcome, request: '' }).where('key', '=', key).where('outcome', 'is', null).execute()
    },
    async counts(key) {
      const rows = await database
        .selectFrom('batch_lines')
        .select(['outcome', sql<number>`count(*)`.as('lines')])
        .where('key', '=', key)
        .groupBy('outcome')
        .execute()
      return { ...none, ...Object.fromEntries(rows.map(({ outcome, lines }) => [outcome ?? 'waiting', lines])) }
    },
    async finish(key, at, end) {
      const { numUpdatedRows } = await database
        .updateTable('kept_batches')
        .set({ ended: at, end })
        .where('key', '=', key)
        .where('ended', 'is', null)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },
    async removeLines(key) {
      await database.deleteFrom('batch_lines').where('key', '=', key).execute()
    },
    remove: drop,
    async purge(now) {
      const gone = await database
        .selectFrom('kept_batches')
        .select('key')
        .where((where) =>
          where.or([where('forgotten', '<=', now), where.and([where('is_whole', '=', 0), where('created', '<=', now - unfinishedMs)])]),
        )
        .limit(100)
        .execute()
      for (const { key } of gone) await drop(key)
    },
  }
}
