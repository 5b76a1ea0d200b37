/**
 * Summaries of the decision log: turns, sessions, and what was used by the hour. They grow with the log, chain by chain, and how far they
 * have come is written with them: what was counted once is not counted again, whoever counts and however they end. Nothing of them
 * is evidence; they can be made again from the log.
 */
import { sql, type Kysely, type Transaction } from 'kysely'
import type { StoreTables, UsageHoursRow } from '../tables.ts'
import { joined, type Part } from './part.ts'
import { purgeSummaries, type SummaryAges } from './purging.ts'
import {
  factNames,
  factsOf,
  hold,
  keyText,
  lockRow,
  storable,
  summaryOf,
  type StoredSummary,
  type Summary,
  type SummaryKind,
  type SummaryPlace,
} from './summary-rows.ts'
import { scopeKey, type HourOfUsage, type UsageAmounts, type UsageScope } from './usage.ts'

/** What some records of one chain come to. */
export interface CountedRecords {
  readonly chain: string
  /** Number of the last record that was counted before. */
  readonly from: number
  /** Number of the last of these. */
  readonly to: number
  readonly turns: readonly Part[]
  readonly sessions: readonly Part[]
  readonly usage: readonly HourOfUsage[]
}

/** What a turn or session is found by, beside its time. */
export interface SummaryFacts {
  readonly session?: string | undefined
  readonly principal?: string | undefined
  readonly tool?: string | undefined
  readonly model?: string | undefined
  readonly agent?: string | undefined
  readonly label?: string | undefined
  readonly action?: string | undefined
  readonly verdict?: string | undefined
}

export interface SummaryQuery {
  readonly kind: SummaryKind
  /** All of them must be true. */
  readonly facts: SummaryFacts
  /** Unix milliseconds: begun not before, and before. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  /** Only those after this one in the list. */
  readonly after?: SummaryPlace | undefined
  readonly limit: number
}

export type UsageDimension = keyof UsageScope

export interface UsageQuery {
  readonly by: UsageDimension
  /** Unix milliseconds; `to` is not included. */
  readonly from: number
  readonly to: number
  /** Of a row, in milliseconds: whole hours. */
  readonly step: number
  /** Only what was used by them. */
  readonly only: { readonly [Name in 'principal' | 'key' | 'model']?: string | undefined }
  readonly limit: number
}

export interface UsageRow extends UsageAmounts {
  /** Unix milliseconds. */
  readonly start: number
  readonly value: string
}

/** Every call rejects with `store.failed` when the database cannot be used. */
export interface SummaryTable {
  /** Chain -> number of the last record that is counted. */
  positions(): Promise<ReadonlyMap<string, number>>
  /** Counts records that follow on what is counted. False when they do not: somebody else has counted them. */
  add(counted: CountedRecords): Promise<boolean>
  /** The latest first. */
  list(query: SummaryQuery): Promise<readonly Summary[]>
  find(kind: SummaryKind, id: string): Promise<Summary | undefined>
  usage(query: UsageQuery): Promise<readonly UsageRow[]>
  /** Models with calls that have no known price. */
  unpriced(query: Pick<UsageQuery, 'from' | 'to' | 'only'>): Promise<readonly string[]>
  /** Removes what ended before; a number at a time, so that counting goes on. Gives how many were removed. */
  purge(ages: SummaryAges): Promise<number>
  /** Forgets all of it, so that it is made anew. */
  reset(): Promise<void>
}

/** Rows of one statement. */
const mostAtOnce = 100
/** `reading`: another way into the same database, where long reads would keep others waiting. */
export function summaryTable(database: Kysely<StoreTables>, reading: Kysely<StoreTables> = database): SummaryTable {
  return {
    async positions() {
      const rows = await database.selectFrom('summary_positions').selectAll().where('chain', '<>', lockRow).execute()
      return new Map(rows.map(({ chain, seq }) => [chain, Number(seq)]))
    },
    add: (counted) => database.transaction().execute((transaction) => add(transaction, counted)),
    async list({ kind, facts, from, to, after, limit }) {
      const [first, ...rest] = await rarestFirst(reading, kind, facts)
      const place = first === undefined ? sql.ref('summaries.placed') : sql.ref('summary_facts.placed')
      const id = first === undefined ? sql.ref('summaries.id') : sql.ref('summary_facts.id')
      const conditions = [
        first === undefined
          ? sql`summaries.kind = ${kind}`
          : sql`summary_facts.kind = ${kind} and summary_facts.fact = ${first.fact} and summary_facts.value = ${first.value}`,
        ...(from === undefined ? [] : [sql`${place} >= ${from}`]),
        ...(to === undefined ? [] : [sql`${place} < ${to}`]),
        ...(after === undefined ? [] : [sql`(${place}, ${id}) < (${after.placed}, ${keyText(after.id)})`]),
        ...rest.map(
          ({ fact, value }) => sql`exists (select 1 from summary_facts as other where other.kind = ${kind} and other.fact = ${fact}
            and other.value = ${value} and other.placed = ${place} and other.id = ${id})`,
        ),
      ]
      const source =
        first === undefined
          ? sql`summaries`
          : sql`summary_facts join summaries on summaries.kind = summary_facts.kind and summaries.id = summary_facts.id`
      const { rows } = await sql<StoredSummary>`select summaries.placed as placed, summaries.turns as turns, summaries.part as part
        from ${source} where ${sql.join(conditions, sql` and `)} order by ${place} desc, ${id} desc limit ${limit}`.execute(reading)
      return rows.map(summaryOf)
    },
    async find(kind, id) {
      const row = await reading
        .selectFrom('summaries')
        .selectAll()
        .where('kind', '=', kind)
        .where('id', '=', keyText(id))
        .executeTakeFirst()
      const found = row === undefined ? undefined : summaryOf(row)
      return found?.part.id === id ? found : undefined
    },
    async usage({ by, from, to, step, only, limit }) {
      const start = sql<number>`(hour - hour % ${sql.lit(step)})`
      const { rows } = await sql<Record<keyof UsageRow, unknown>>`select ${start} as start, ${sql.ref(columns[by])} as value,
          sum(calls) as calls, sum(failures) as failures, sum(input_tokens) as "inputTokens", sum(output_tokens) as "outputTokens",
          sum(cost) as cost, sum(unpriced) as unpriced
        from usage_hours where ${usageConditions({ from, to, only })} group by 1, 2 order by 1, 2 limit ${limit}`.execute(reading)
      return rows.map((row) => ({
        start: Number(row.start),
        value: String(row.value),
        calls: Number(row.calls),
        failures: Number(row.failures),
        inputTokens: Number(row.inputTokens),
        outputTokens: Number(row.outputTokens),
        cost: Number(row.cost),
        unpriced: Number(row.unpriced),
      }))
    },
    async unpriced(query) {
      const { rows } = await sql<{ model: string }>`select distinct model from usage_hours
        where ${usageConditions(query)} and unpriced > 0 order by model limit 200`.execute(reading)
      return rows.map(({ model }) => model)
    },
    purge: (ages) => purgeSummaries(database, ages),
    reset: () =>
      database.transaction().execute(async (transaction) => {
        await hold(transaction)
        for (const table of ['summaries', 'summary_facts', 'usage_hours'] as const) await transaction.deleteFrom(table).execute()
        await transaction.deleteFrom('summary_positions').where('chain', '<>', lockRow).execute()
      }),
  }
}

interface Fact {
  readonly fact: (typeof factNames)[number]
  readonly value: string
}

/** Summaries that are counted to find out what is rare. */
const mostRare = 5000

/** A list goes by the rarest of the facts, and looks at the others for each that has it. */
async function rarestFirst(reading: Kysely<StoreTables>, kind: SummaryKind, facts: SummaryFacts): Promise<readonly Fact[]> {
  const asked = factNames.flatMap((fact) => (facts[fact] === undefined ? [] : [{ fact, value: keyText(facts[fact]) }]))
  if (asked.length < 2) return asked
  const counts = asked.map(
    ({ fact, value }) => sql`(select count(*) from (select 1 from summary_facts
      where kind = ${kind} and fact = ${fact} and value = ${value} limit ${mostRare}) as counted) as ${sql.ref(fact)}`,
  )
  const { rows } = await sql<Record<Fact['fact'], unknown>>`select ${sql.join(counts)}`.execute(reading)
  return asked.toSorted((one, other) => Number(rows[0]?.[one.fact]) - Number(rows[0]?.[other.fact]))
}

/** Its column of `usage_hours`. */
const columns: Readonly<Record<UsageDimension, keyof UsageHoursRow>> = {
  principal: 'principal',
  groups: 'member_of',
  key: 'credential',
  consumer: 'consumer',
  agent: 'agent',
  model: 'model',
  upstream: 'upstream',
  route: 'route',
}

function usageConditions({ from, to, only }: Pick<UsageQuery, 'from' | 'to' | 'only'>): ReturnType<typeof sql> {
  const named = (['principal', 'key', 'model'] as const).flatMap((name) =>
    only[name] === undefined ? [] : [sql`${sql.ref(columns[name])} = ${storable(only[name])}`],
  )
  return sql.join([sql`hour >= ${from} and hour < ${to}`, ...named], sql` and `)
}

async function add(transaction: Transaction<StoreTables>, { chain, from, to, turns, sessions, usage }: CountedRecords): Promise<boolean> {
  await hold(transaction)
  const position = await transaction.selectFrom('summary_positions').select('seq').where('chain', '=', chain).executeTakeFirst()
  if (Number(position?.seq ?? 0) !== from) return false
  const begun = await addParts(transaction, 'turn', turns, new Map())
  const turnsOf = Map.groupBy(begun, ({ whose }) => whose.session ?? '')
  await addParts(transaction, 'session', sessions, new Map([...turnsOf].map(([session, those]) => [session, those.length])))
  await addUsage(transaction, usage)
  await transaction
    .insertInto('summary_positions')
    .values({ chain, seq: to })
    .onConflict((conflict) => conflict.column('chain').doUpdateSet({ seq: to }))
    .execute()
  return true
}

/** Joins parts to what is there; those of which nothing was. `more`: how many turns have begun in a session. */
async function addParts(
  transaction: Transaction<StoreTables>,
  kind: SummaryKind,
  parts: readonly Part[],
  more: ReadonlyMap<string, number>,
): Promise<readonly Part[]> {
  const begun: Part[] = []
  for (const chunk of chunksOf(parts)) {
    const keys = chunk.map(({ id }) => keyText(id))
    const stored = await transaction.selectFrom('summaries').selectAll().where('kind', '=', kind).where('id', 'in', keys).execute()
    const known = new Map(stored.map((row) => [row.id, summaryOf(row)]))
    const rows = new Map<string, { placed: number; turns: number; part: Part }>()
    for (const part of chunk) {
      const key = keyText(part.id)
      const before = rows.get(key) ?? known.get(key)
      if (before === undefined) begun.push(part)
      const placed = before === undefined ? part.first : 'placed' in before ? before.placed : before.place.placed
      const turns = (before?.turns ?? 0) + (more.get(part.id) ?? 0)
      rows.set(key, { placed, turns, part: before === undefined ? part : joined(before.part, part) })
    }
    await transaction
      .insertInto('summaries')
      .values([...rows].map(([id, { placed, turns, part }]) => ({ kind, id, placed, turns, part: JSON.stringify(part) })))
      .onConflict((conflict) =>
        conflict.columns(['kind', 'id']).doUpdateSet((is) => ({ turns: is.ref('excluded.turns'), part: is.ref('excluded.part') })),
      )
      .execute()
    const facts = [...rows].flatMap(([id, { placed, part }]) => factsOf(part).map(([fact, value]) => ({ kind, fact, value, placed, id })))
    for (const some of chunksOf(facts))
      await transaction
        .insertInto('summary_facts')
        .values([...some])
        .onConflict((conflict) => conflict.doNothing())
        .execute()
  }
  return begun
}

async function addUsage(transaction: Transaction<StoreTables>, usage: readonly HourOfUsage[]): Promise<void> {
  for (const chunk of chunksOf(usage)) {
    await transaction
      .insertInto('usage_hours')
      .values(
        chunk.map((row) => ({
          hour: row.hour,
          scope: scopeKey(row),
          principal: storable(row.principal),
          member_of: storable(row.groups),
          credential: storable(row.key),
          consumer: storable(row.consumer),
          agent: storable(row.agent),
          model: storable(row.model),
          upstream: storable(row.upstream),
          route: storable(row.route),
          calls: row.calls,
          failures: row.failures,
          input_tokens: row.inputTokens,
          output_tokens: row.outputTokens,
          cost: row.cost,
          unpriced: row.unpriced,
        })),
      )
      .onConflict((conflict) =>
        conflict.columns(['hour', 'scope']).doUpdateSet((is) => {
          const more = (column: 'calls' | 'failures' | 'input_tokens' | 'output_tokens' | 'cost' | 'unpriced') =>
            is(`usage_hours.${column}`, '+', is.ref(`excluded.${column}`))
          return {
            calls: more('calls'),
            failures: more('failures'),
            input_tokens: more('input_tokens'),
            output_tokens: more('output_tokens'),
            cost: more('cost'),
            unpriced: more('unpriced'),
          }
        }),
      )
      .execute()
  }
}

function chunksOf<T>(items: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / mostAtOnce) }, (_, at) => items.slice(at * mostAtOnce, (at + 1) * mostAtOnce))
}
