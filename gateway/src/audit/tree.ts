/**
 * What happened in one turn, as a tree: model calls, what they proposed, what ran, what each step added to the label,
 * what was refused and what would have helped. Pure: made of the stored records and nothing else.
 */
import type {
  CallResult,
  LabelGain,
  ModelCallStep,
  ProposalStep,
  RefusedCall,
  TokenCountStep,
  ToolCallStep,
  TurnStep,
  TurnTree,
} from '@turnward/contract/api/turns'
import type { DecisionRecord, LabelRecord } from '@turnward/contract/decision'
import { addToTotals, noTotals } from './totals.ts'

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
  let totals = noTotals
  const first = records[0]
  const main = first?.session ?? null

  for (const record of records) {
    totals = addToTotals(totals, record)
    if (record.labelAfter !== null) {
      const { labelBefore: before, labelAfter: after, time, id: decision, subject, session } = record
      if (before !== null && !sameLabel(before, after))
        labels.push({ time, decision, subject, before, after, agent: agentOf(session, main) })
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
    groups: first?.groups ?? [],
    issuer: first?.issuer ?? null,
    actor: first?.actor ?? null,
    actors: first?.actors ?? [first?.actor ?? []].flat(),
    consumer: first?.consumer ?? null,
    key: first?.key ?? null,
    started: first?.time ?? null,
    ended: records.at(-1)?.time ?? null,
    modelCalls,
    tokenCounts,
    otherCalls,
    labels,
    refused,
    label,
    totals,
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
    agent: agentOf(record.session, main),
    approval: record.approval?.id,
    ...resultOf(record),
  }
}

function agentOf(session: string | null, main: string | null): string | undefined {
  return session === null || session === main ? undefined : session
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
