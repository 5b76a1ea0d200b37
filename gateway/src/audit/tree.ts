/**
 * What happened in one turn, as a tree: model calls, what they proposed, what ran, what each step added to the label,
 * what was refused and what would have helped. Pure: made of the stored records and nothing else.
 */
import type { CostRecord, DecisionRecord, GapRecord, LabelRecord, RemedyRecord, UsageRecord } from '@turnward/contract/decision'

/** How a decided call ended; all undefined while it runs, or when it ended unrecorded. */
export interface CallResult {
  outcome: DecisionRecord['outcome']
  errorCode: string | undefined
  latencyMs: number | undefined
  usage: UsageRecord | undefined
  cost: CostRecord | undefined
}

/** What every step has in common. */
export interface TurnStep extends CallResult {
  readonly decision: string
  /** Unix milliseconds of the decision. */
  readonly time: number
  /** Model or tool. */
  readonly subject: string
  readonly verdict: DecisionRecord['verdict']
  readonly action: DecisionRecord['action']
  readonly reason: string
  readonly rules: readonly string[]
  readonly gaps: readonly GapRecord[]
  readonly remedies: readonly RemedyRecord[]
  readonly credential: string | null
  readonly revision: string
  /** What the draft beside the policy would have done, where that is something else. */
  readonly shadow: DecisionRecord['shadow']
  /** The name the model used, where it means `subject` under another. */
  readonly calledAs: string | undefined
  /** Session of the sub-agent that made the call; undefined for the session of the turn. */
  readonly agent: string | undefined
}

export interface ToolCallStep extends TurnStep {
  readonly toolCallId: string | null
  readonly gateway: string | null
  readonly ticket: DecisionRecord['ticket']
  /** Of the definition that was decided on. */
  readonly toolDigest: string | undefined
}

/** A tool call a model asked for. `ran` are the calls that came of it. */
export interface ProposalStep extends TurnStep {
  readonly toolCallId: string | null
  /** Of the definition that was decided on. */
  readonly toolDigest: string | undefined
  readonly ran: ToolCallStep[]
}

export interface ModelCallStep extends TurnStep {
  /** `mc_…` */
  readonly modelCall: string | null
  readonly upstream: string | null
  /** Why it went there, where there are several upstreams. */
  readonly routing?: DecisionRecord['routing']
  /** Upstreams that were asked at the same time, and who began first. */
  readonly hedged?: DecisionRecord['hedged']
  /** The known client that made the call. */
  readonly client: string | undefined
  /** Tools the model was not offered. */
  readonly hidden: readonly string[]
  readonly proposals: ProposalStep[]
}

/** The tokens of a conversation, counted by a vendor or estimated. */
export interface TokenCountStep extends TurnStep {
  readonly upstream: string | null
}

/** A moment at which the session became more restricted. */
export interface LabelGain {
  readonly time: number
  /** The tool whose result did it. */
  readonly subject: string
  readonly before: LabelRecord
  readonly after: LabelRecord
}

/** A call that did not happen, and what would help. */
export interface RefusedCall {
  readonly decision: string
  readonly kind: DecisionRecord['kind']
  readonly subject: string
  readonly reason: string
  readonly rules: readonly string[]
  readonly gaps: readonly GapRecord[]
  readonly remedies: readonly RemedyRecord[]
}

export interface TurnTree {
  readonly turn: string | null
  readonly session: string | null
  readonly principal: string | null
  readonly actor: string | null
  readonly key: string | null
  /** Unix milliseconds of the first and the last record. */
  readonly started: number | null
  readonly ended: number | null
  readonly modelCalls: readonly ModelCallStep[]
  readonly tokenCounts: readonly TokenCountStep[]
  /** Tool calls and proposals that no model call of this turn accounts for. */
  readonly otherCalls: readonly (ToolCallStep | ProposalStep)[]
  readonly labels: readonly LabelGain[]
  readonly refused: readonly RefusedCall[]
  /** Label after the last record that has one. */
  readonly label: LabelRecord | null
}

/** Builds the tree of one turn from its records, in the order of the log. Records of other turns do not belong in it. */
export function turnTree(records: readonly DecisionRecord[]): TurnTree {
  const modelCalls: ModelCallStep[] = []
  const tokenCounts: TokenCountStep[] = []
  const otherCalls: (ToolCallStep | ProposalStep)[] = []
  const labels: LabelGain[] = []
  const refused: RefusedCall[] = []
  const steps = new Map<string, TurnStep>()
  const proposals: ProposalStep[] = []
  let label: LabelRecord | null = null
  const first = records[0]
  const main = first?.session ?? null

  for (const record of records) {
    if (record.labelAfter !== null) {
      if (record.labelBefore !== null && !sameLabel(record.labelBefore, record.labelAfter)) {
        labels.push({ time: record.time, subject: record.subject, before: record.labelBefore, after: record.labelAfter })
      }
      // A sub-agent of the turn has a label of its own.
      if (record.session === main) label = record.labelAfter
    }
    if (record.type === 'outcome') {
      // Of several upstreams that were asked it is that of whoever answered.
      const step = steps.get(placeOf(record)) ?? steps.get(record.id)
      if (step !== undefined) Object.assign(step, resultOf(record), record.hedged === undefined ? {} : { hedged: record.hedged })
      continue
    }
    if (record.action === 'refuse') refused.push(refusal(record))
    switch (record.kind) {
      case 'model_call': {
        const step: ModelCallStep = {
          ...stepOf(record, main),
          modelCall: record.modelCall ?? null,
          upstream: record.upstream ?? null,
          routing: record.routing,
          client: record.client,
          hidden: record.hidden ?? [],
          proposals: [],
        }
        steps.set(record.id, step)
        steps.set(placeOf(record), step)
        modelCalls.push(step)
        break
      }
      case 'token_count': {
        const step: TokenCountStep = { ...stepOf(record, main), upstream: record.upstream ?? null }
        steps.set(record.id, step)
        tokenCounts.push(step)
        break
      }
      case 'tool_proposal': {
        const step: ProposalStep = {
          ...stepOf(record, main),
          toolCallId: record.toolCallId ?? null,
          toolDigest: record.toolDigest,
          ran: [],
        }
        steps.set(record.id, step)
        proposals.push(step)
        const parent = modelCalls.findLast((call) => call.modelCall !== null && call.modelCall === record.modelCall)
        ;(parent?.proposals ?? otherCalls).push(step)
        break
      }
      case 'resource_read':
      case 'prompt_get':
      case 'completion':
      case 'task_update':
      case 'task_cancel':
      case 'tool_call': {
        const step: ToolCallStep = {
          ...stepOf(record, main),
          toolCallId: record.toolCallId ?? null,
          gateway: record.gateway ?? null,
          ticket: record.ticket,
          toolDigest: record.toolDigest,
        }
        steps.set(record.id, step)
        ;(proposalOf(step, proposals)?.ran ?? otherCalls).push(step)
        break
      }
      case 'tool_list':
      case 'admission':
      case 'model_operation':
      case 'authentication':
      case 'approval':
      case 'stop':
        break
    }
  }

  return {
    turn: first?.turn ?? null,
    session: main,
    principal: first?.principal ?? null,
    actor: first?.actor ?? null,
    key: first?.key ?? null,
    started: first?.time ?? null,
    ended: records.at(-1)?.time ?? null,
    modelCalls,
    tokenCounts,
    otherCalls,
    labels,
    refused,
    label,
  }
}

/** By the model's id of the call; without one, by the tool and only when a ticket says that there was a proposal. */
function proposalOf(call: ToolCallStep, proposals: readonly ProposalStep[]): ProposalStep | undefined {
  if (call.toolCallId !== null) return proposals.findLast((proposal) => proposal.toolCallId === call.toolCallId)
  if (call.ticket !== 'matched') return undefined
  return proposals.find((proposal) => proposal.subject === call.subject && proposal.action !== 'refuse' && proposal.ran.length === 0)
}

function stepOf(record: DecisionRecord, main: string | null): TurnStep {
  const { id, calledAs, time, subject, verdict, action, reason, rules, credential, revision, shadow } = record
  const gaps = record.gaps ?? []
  const remedies = record.remedies ?? []
  return {
    decision: id,
    time,
    subject,
    verdict,
    action,
    reason,
    rules,
    gaps,
    remedies,
    credential,
    revision,
    shadow,
    calledAs,
    agent: record.session === null || record.session === main ? undefined : record.session,
    ...resultOf(record),
  }
}

/** A call, and where it was sent. */
function placeOf({ id, upstream }: DecisionRecord): string {
  return `${id} at ${upstream ?? 'none'}`
}

function resultOf(record: DecisionRecord): CallResult {
  return { outcome: record.outcome, errorCode: record.errorCode, latencyMs: record.latencyMs, usage: record.usage, cost: record.cost }
}

function refusal(record: DecisionRecord): RefusedCall {
  const { id, kind, subject, reason, rules } = record
  return { decision: id, kind, subject, reason, rules, gaps: record.gaps ?? [], remedies: record.remedies ?? [] }
}

function sameLabel(one: LabelRecord, other: LabelRecord): boolean {
  return one.trust === other.trust && JSON.stringify(one.audience) === JSON.stringify(other.audience)
}
