/** The neutral answer of a model: parts, why it ended, and what it cost. */
import type { UsageRecord } from '@turnward/contract/decision'
import type { DialectFamily, HubPart } from './conversation.ts'

export interface HubUsage extends UsageRecord {
  readonly reasoningTokens?: number | undefined
}

export interface HubFinish {
  readonly reason: 'stop' | 'length' | 'calls' | 'refusal' | 'other'
  /** The vendor's own word, for a writer of its family. */
  readonly word: { readonly family: DialectFamily; readonly value: string } | undefined
  /** What the vendor says about a refusal. */
  readonly explanation?: string | undefined
  /** The stop sequence that ended it. */
  readonly stopSequence?: string | undefined
}

export interface HubAnswer {
  readonly id: string | undefined
  readonly model: string
  readonly parts: readonly HubPart[]
  readonly finish: HubFinish
  readonly usage: HubUsage | undefined
}

/**
 * Why an answer ended, by its calls as well: some servers say `stop` after calls, and a client that reads a normal end
 * would not run them; others say `calls` and make none. A reason nobody knows reads as a normal end.
 */
export function settledReason(reason: HubFinish['reason'], hasCalls: boolean): 'stop' | 'length' | 'calls' | 'refusal' {
  if (reason === 'length' || reason === 'refusal') return reason
  return hasCalls ? 'calls' : 'stop'
}
