/** Turns and sessions as their summaries have them, in the form of the administration API. */
import type { sessionSummarySchema, turnSummarySchema } from '@turnward/contract/api/turns'
import type { z } from 'zod'
import { labelOf, outcomeOf, type Part } from '../store/summaries/part.ts'
import type { SummaryFacts, SummaryQuery, SummaryTable } from '../store/summaries/summaries.ts'
import type { Summary, SummaryKind, SummaryPlace } from '../store/summaries/summary-rows.ts'
import { cursorOf, partsOfCursor } from './cursor.ts'

type TurnSummary = z.input<typeof turnSummarySchema>
type SessionSummary = z.input<typeof sessionSummarySchema>

export function shownTurn({ part }: Summary): TurnSummary {
  return { turn: part.id, session: part.whose.session, ...shown(part) }
}

export function shownSession({ part, turns }: Summary): SessionSummary {
  return { session: part.id, turns, ...shown(part) }
}

function shown(part: Part): Omit<TurnSummary, 'turn' | 'session'> {
  const { whose, first, last, records, modelCalls, proposals, toolCalls, refusals, approvals, client, models, tools, totals } = part
  return {
    principal: whose.principal,
    groups: [...whose.groups],
    actor: whose.actor,
    consumer: whose.consumer,
    key: whose.key,
    client,
    first,
    last,
    records,
    modelCalls,
    proposals,
    toolCalls,
    refusals,
    approvals,
    models: [...models],
    tools: [...tools],
    label: labelOf(part),
    totals,
    outcome: outcomeOf(part),
  }
}

export interface ListQuery extends SummaryFacts, Pick<SummaryQuery, 'from' | 'to' | 'limit'> {
  readonly cursor?: string | undefined
}

/** A page of them; whoever is shown only their own (`own`) finds nothing of anybody else. Throws `request.invalid`. */
export async function pageOf(
  summaries: Pick<SummaryTable, 'list'>,
  kind: SummaryKind,
  { cursor, limit, from, to, principal, ...facts }: ListQuery,
  own: string | undefined,
): Promise<{ readonly found: readonly Summary[]; readonly next: string | null }> {
  if (own !== undefined && principal !== undefined && principal !== own) return { found: [], next: null }
  const after = cursor === undefined ? undefined : placeAt(cursor)
  // One more, which says whether there are more.
  const found = await summaries.list({ kind, facts: { ...facts, principal: own ?? principal }, from, to, after, limit: limit + 1 })
  const page = found.slice(0, limit)
  const last = page.at(-1)
  return { found: page, next: found.length > limit && last !== undefined ? cursorOf([last.place.placed, last.place.id]) : null }
}

function placeAt(cursor: string): SummaryPlace {
  const [placed, id] = partsOfCursor(cursor, ['number', 'string']) as [number, string]
  return { placed, id }
}
