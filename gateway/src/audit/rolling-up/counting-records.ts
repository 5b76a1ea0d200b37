/** What records come to: parts of turns and of sessions, and what was used by the hour. Pure. */
import type { DecisionRecord } from '@turnward/contract/decision'
import { joined, type Part } from '../../store/summaries/part.ts'
import { addedUsage, type HourOfUsage, scopeKey } from '../../store/summaries/usage.ts'
import { addToTotals, noTotals } from '../totals.ts'

export interface Counted {
  readonly turns: readonly Part[]
  readonly sessions: readonly Part[]
  readonly usage: readonly HourOfUsage[]
}

const hourMs = 3_600_000

/** In the order of their chain. */
export function countRecords(records: readonly DecisionRecord[]): Counted {
  const turns = new Map<string, Part>()
  const sessions = new Map<string, Part>()
  const usage = new Map<string, HourOfUsage>()
  for (const record of records) {
    if (record.turn !== null) addPart(turns, partOf(record, record.turn))
    if (record.session !== null) addPart(sessions, partOf(record, record.session))
    const used = usageOf(record)
    if (used === undefined) continue
    const key = `${used.hour} ${scopeKey(used)}`
    const before = usage.get(key)
    usage.set(key, before === undefined ? used : { ...used, ...addedUsage(before, used) })
  }
  // By their keys: whoever else writes the same rows writes them in the same order.
  return { turns: inOrder(turns), sessions: inOrder(sessions), usage: inOrder(usage) }
}

function addPart(parts: Map<string, Part>, part: Part): void {
  const before = parts.get(part.id)
  parts.set(part.id, before === undefined ? part : joined(before, part))
}

function inOrder<T>(items: ReadonlyMap<string, T>): readonly T[] {
  return [...items].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, item]) => item)
}

const modelKinds: ReadonlySet<DecisionRecord['kind']> = new Set(['model_call', 'model_operation'])
const proposalKinds: ReadonlySet<DecisionRecord['kind']> = new Set(['tool_proposal'])
const toolKinds: ReadonlySet<DecisionRecord['kind']> = new Set(['tool_call', 'resource_read', 'prompt_get', 'completion'])

function partOf(record: DecisionRecord, id: string): Part {
  const { time, kind, type, subject, labelAfter, session, outcome, verdict, action } = record
  const isDecision = type === 'decision'
  const isModel = modelKinds.has(kind)
  const isTool = toolKinds.has(kind) || proposalKinds.has(kind)
  const isRefused = action === 'refuse'
  const isNow = (is: boolean): number => (is ? 1 : 0)
  return {
    id,
    first: time,
    last: time,
    whose: {
      session,
      principal: record.principal,
      groups: record.groups ?? [],
      actor: record.actor,
      consumer: record.consumer ?? null,
      key: record.key,
    },
    records: 1,
    // A call is decided on once for each upstream and each round, and ends once.
    modelCalls: isNow(isModel && (isDecision ? isRefused : true)),
    proposals: isNow(isDecision && proposalKinds.has(kind)),
    toolCalls: isNow(isDecision && toolKinds.has(kind)),
    // That a limit or a guard stopped a model call is said by how it ended.
    refusals: isNow(isRefused && (isModel || (isTool && isDecision))),
    approvals: isNow(record.approval?.event === 'asked' && kind === 'approval'),
    totals: addToTotals(noTotals, record),
    client: record.client ?? null,
    models: isModel ? [subject] : [],
    tools: isTool ? [subject] : [],
    trusts: labelAfter === null ? [] : [labelAfter.trust],
    verdicts: [verdict],
    actions: [action],
    labels: labelAfter === null ? {} : { [session ?? '']: { time, label: labelAfter } },
    asked: isDecision && kind === 'model_call' ? time : 0,
    ended: kind === 'model_call' && outcome !== undefined && !isDecision ? { time, outcome } : null,
  }
}

/** Of a record that ends the call of a model; undefined for every other. */
function usageOf(record: DecisionRecord): HourOfUsage | undefined {
  const { type, kind, time, principal, groups = [], key, consumer, actor, subject, upstream, route, outcome, usage, cost } = record
  const isCall = type === 'outcome' && modelKinds.has(kind)
  if (!isCall && usage === undefined && cost === undefined) return undefined
  return {
    hour: time - (time % hourMs),
    principal,
    groups: JSON.stringify([...new Set(groups)].sort()),
    key: key ?? '',
    consumer: consumer ?? '',
    agent: actor ?? '',
    model: subject,
    upstream: upstream ?? '',
    route: route ?? (isCall ? subject : ''),
    calls: isCall ? 1 : 0,
    failures: isCall && outcome !== 'ok' ? 1 : 0,
    inputTokens: usage?.inputTokens ?? 0,
    outputTokens: usage?.outputTokens ?? 0,
    cost: cost?.amount ?? 0,
    unpriced: (cost?.unpriced?.length ?? 0) > 0 ? 1 : 0,
  }
}
