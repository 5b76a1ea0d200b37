/** Takes out of the summaries what is older than it is kept, a bounded number at a time, and nothing of what still goes on. */
import { sql, type Kysely } from 'kysely'
import type { StoreTables } from '../tables.ts'
import { factsOf, hold, summaryOf, type SummaryKind, type SummaryPlace } from './summary-rows.ts'

/** Of one transaction: whoever counts waits that long at most. */
const mostAtOnce = 100
const usageAtOnceMs = 24 * 3_600_000

/** Unix milliseconds; what ended before is removed. Undefined: it is kept. */
export interface SummaryAges {
  readonly summaries: number | undefined
  readonly usage: number | undefined
}

/** How many were removed. Rejects with `store.failed`. */
export async function purgeSummaries(database: Kysely<StoreTables>, { summaries, usage }: SummaryAges): Promise<number> {
  let removed = 0
  if (summaries !== undefined) for (const kind of ['turn', 'session'] as const) removed += await purgeKind(database, kind, summaries)
  if (usage !== undefined) removed += await purgeUsage(database, usage)
  return removed
}

async function purgeKind(database: Kysely<StoreTables>, kind: SummaryKind, before: number): Promise<number> {
  let removed = 0
  for (let after: SummaryPlace | undefined = { placed: Number.MIN_SAFE_INTEGER, id: '' }; after !== undefined;) {
    const from: SummaryPlace = after
    after = await database.transaction().execute(async (transaction) => {
      await hold(transaction)
      const rows = await transaction
        .selectFrom('summaries')
        .selectAll()
        .where('kind', '=', kind)
        .where('placed', '<', before)
        .where(sql<boolean>`(placed, id) > (${from.placed}, ${from.id})`)
        .orderBy('placed')
        .orderBy('id')
        .limit(mostAtOnce)
        .execute()
      // One that began long ago may have gone on until now.
      const over = rows.filter((row) => summaryOf(row).part.last < before)
      for (const row of over)
        for (const [fact, value] of factsOf(summaryOf(row).part))
          await transaction
            .deleteFrom('summary_facts')
            .where('kind', '=', kind)
            .where('fact', '=', fact)
            .where('value', '=', value)
            .where('placed', '=', row.placed)
            .where('id', '=', row.id)
            .execute()
      const ids = over.map(({ id }) => id)
      if (ids.length > 0) await transaction.deleteFrom('summaries').where('kind', '=', kind).where('id', 'in', ids).execute()
      removed += ids.length
      const last = rows.at(-1)
      return last === undefined || rows.length < mostAtOnce ? undefined : { placed: Number(last.placed), id: last.id }
    })
  }
  return removed
}

async function purgeUsage(database: Kysely<StoreTables>, before: number): Promise<number> {
  let removed = 0
  for (;;) {
    const { oldest } = await database
      .selectFrom('usage_hours')
      .select(({ fn }) => fn.min('hour').as('oldest'))
      .executeTakeFirstOrThrow()
    if (oldest === null || Number(oldest) >= before) return removed
    const until = Math.min(before, Number(oldest) + usageAtOnceMs)
    const { numDeletedRows } = await database.deleteFrom('usage_hours').where('hour', '<', until).executeTakeFirst()
    removed += Number(numDeletedRows)
  }
}
