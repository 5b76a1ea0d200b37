/** A summary as it is in its tables, and what it is found by. */
import { sql, type Transaction } from 'kysely'
import type { StoreTables } from '../tables.ts'
import type { Part } from './part.ts'

/** What there are summaries of. */
export type SummaryKind = 'turn' | 'session'

/** A place in a list, which new ones do not change. */
export interface SummaryPlace {
  /** Unix milliseconds. */
  readonly placed: number
  readonly id: string
}

/** A summary and its place in lists. */
export interface Summary {
  readonly place: SummaryPlace
  readonly part: Part
  /** Of a session: how many turns began in it. */
  readonly turns: number
}

/** An index holds no longer text. */
const longestKey = 200
/** Whoever counts holds this row: no two at a time. */
export const lockRow = ''

/** What one is found by, beside its time. */
export const factNames = ['session', 'principal', 'tool', 'model', 'agent', 'label', 'action', 'verdict'] as const

/** A row of the table. */
export interface StoredSummary {
  readonly placed: number
  readonly turns: number
  readonly part: string
}

/** A row as it is read. */
export function summaryOf({ placed, turns, part: text }: StoredSummary): Summary {
  const part = JSON.parse(text) as Part
  return { place: { placed: Number(placed), id: part.id }, part, turns: Number(turns) }
}

/** Waits until nobody else counts. */
export async function hold(transaction: Transaction<StoreTables>): Promise<void> {
  await transaction
    .updateTable('summary_positions')
    .set({ seq: sql`seq` })
    .where('chain', '=', lockRow)
    .execute()
}

/** What it is found by. */
export function factsOf({
  whose,
  tools,
  models,
  trusts,
  actions,
  verdicts,
}: Part): readonly (readonly [(typeof factNames)[number], string])[] {
  const values: Readonly<Record<(typeof factNames)[number], readonly (string | null)[]>> = {
    session: [whose.session],
    principal: [whose.principal],
    agent: [whose.actor],
    tool: tools,
    model: models,
    label: trusts,
    action: actions,
    verdict: verdicts,
  }
  const facts = factNames.flatMap((fact) => values[fact].flatMap((value) => (value === null ? [] : [[fact, keyText(value)] as const])))
  return [...new Map(facts.map((fact) => [fact.join('\0'), fact])).values()]
}

/** A name as an index holds it. */
export function keyText(text: string): string {
  return storable(text.slice(0, longestKey))
}

/** PostgreSQL holds no U+0000. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\u{fffd}').toWellFormed()
}
