/** What the demo says when the turn is over, computed from the decision log alone. */
import type { DecisionRecord } from '@turnward/contract/decision'

export interface DemoToolCall {
  readonly tool: string
  readonly action: string
  readonly rule: string
  /** Label of the session when the call was decided: `trusted, public` or `untrusted, for mara`. */
  readonly label: string
}

export interface DemoReport {
  readonly turn: string
  readonly session: string
  readonly modelCalls: number
  readonly toolCalls: readonly DemoToolCall[]
  readonly refused: number
  readonly completed: boolean
  readonly audit: { readonly records: number; readonly verified: boolean }
}

/** Every call the model proposed, in order, with the last word on it: the decision at the tool if it got there, the refusal otherwise. */
export function demoToolCalls(records: readonly DecisionRecord[]): DemoToolCall[] {
  const decisions = records.filter((record) => record.type === 'decision')
  const last = new Map<string, DecisionRecord>()
  for (const record of decisions) {
    if ((record.kind === 'tool_proposal' || record.kind === 'tool_call') && typeof record.toolCallId === 'string')
      last.set(record.toolCallId, record)
  }
  return [...last.values()].map((record) => ({
    tool: record.subject,
    action: record.action,
    rule: decidingRule(record),
    label: labelText(record),
  }))
}

/** Model calls that reached an upstream, including those made inside a client request after a refusal. */
export function countModelCalls(records: readonly DecisionRecord[]): number {
  return records.filter((record) => record.kind === 'model_call' && record.type === 'decision' && record.action === 'release').length
}

function decidingRule(record: DecisionRecord): string {
  return record.gaps?.[0]?.source ?? record.rules.at(-1) ?? 'none'
}

function labelText(record: DecisionRecord): string {
  const label = record.labelBefore
  if (label === null) return 'none'
  return `${label.trust}, ${label.audience.length === 0 ? 'public' : `for ${label.audience.map((clause) => clause.join(' or ')).join(' and ')}`}`
}
