/**
 * What some records of one turn or session say together. However its records are divided into parts, the parts joined come to the same,
 * and in any order, but for what two records say of one millisecond: that is how a summary grows with the log. Pure.
 */
import type { Totals } from '@turnward/contract/api/turns'
import type { Action, DecisionRecord, LabelRecord } from '@turnward/contract/decision'

/** Whose it is, as its earliest record says. */
export interface Whose {
  readonly session: string | null
  readonly principal: string
  readonly groups: readonly string[]
  readonly actor: string | null
  readonly consumer: string | null
  readonly key: string | null
}

export interface Part {
  /** Of the turn or session. */
  readonly id: string
  /** Unix milliseconds of its earliest and its latest record. */
  readonly first: number
  readonly last: number
  readonly whose: Whose
  readonly records: number
  /** Those that have ended, or were refused. */
  readonly modelCalls: number
  readonly proposals: number
  readonly toolCalls: number
  readonly refusals: number
  readonly approvals: number
  readonly totals: Totals
  /** The known client that made the model calls. */
  readonly client: string | null
  readonly models: readonly string[]
  readonly tools: readonly string[]
  /** Every trust that a label of it has had; every verdict and action. */
  readonly trusts: readonly string[]
  readonly verdicts: readonly DecisionRecord['verdict'][]
  readonly actions: readonly Action[]
  /** Session -> its label, and when it was that. A sub-agent of a turn has one of its own. */
  readonly labels: Readonly<Record<string, { readonly time: number; readonly label: LabelRecord }>>
  /** When a model was asked last; 0 when none was. */
  readonly asked: number
  /** How the model call ended that ended last. */
  readonly ended: { readonly time: number; readonly outcome: NonNullable<DecisionRecord['outcome']> } | null
}

/** Of models, of tools, of whatever a turn may have any number of. */
const mostNames = 100

export function joined(one: Part, other: Part): Part {
  const [earlier, later] = one.first <= other.first ? [one, other] : [other, one]
  return {
    id: one.id,
    first: earlier.first,
    last: Math.max(one.last, other.last),
    whose: earlier.whose,
    records: one.records + other.records,
    modelCalls: one.modelCalls + other.modelCalls,
    proposals: one.proposals + other.proposals,
    toolCalls: one.toolCalls + other.toolCalls,
    refusals: one.refusals + other.refusals,
    approvals: one.approvals + other.approvals,
    totals: {
      inputTokens: one.totals.inputTokens + other.totals.inputTokens,
      outputTokens: one.totals.outputTokens + other.totals.outputTokens,
      cost: Math.round((one.totals.cost + other.totals.cost) * 1e9) / 1e9,
      unpriced: union(one.totals.unpriced, other.totals.unpriced),
    },
    client: earlier.client ?? later.client,
    models: union(one.models, other.models),
    tools: union(one.tools, other.tools),
    trusts: union(one.trusts, other.trusts),
    verdicts: union(one.verdicts, other.verdicts),
    actions: union(one.actions, other.actions),
    labels: latestLabels(one.labels, other.labels),
    asked: Math.max(one.asked, other.asked),
    ended: (one.ended?.time ?? 0) > (other.ended?.time ?? 0) ? one.ended : (other.ended ?? one.ended),
  }
}

/** How the last model call ended; null while it goes on, or where there is none. */
export function outcomeOf({ asked, ended }: Part): NonNullable<DecisionRecord['outcome']> | null {
  return ended === null || ended.time < asked ? null : ended.outcome
}

/** The label of the session that it belongs to; null where no record has one. */
export function labelOf({ labels, whose }: Part): LabelRecord | null {
  return labels[whose.session ?? '']?.label ?? null
}

/** Of equal times the later comes second. */
function latestLabels(one: Part['labels'], other: Part['labels']): Part['labels'] {
  const latest = { ...one }
  for (const [session, found] of Object.entries(other)) if ((latest[session]?.time ?? -Infinity) <= found.time) latest[session] = found
  return Object.fromEntries(Object.entries(latest).slice(0, mostNames))
}

function union<T extends string>(one: readonly T[], other: readonly T[]): T[] {
  return [...new Set([...one, ...other])].sort().slice(0, mostNames)
}
