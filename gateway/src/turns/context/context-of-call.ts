/** What retrievers have found for a call, and where it stands: behind the person's message, as calls and their results. */
import type { DecisionRecord } from '@turnward/contract/decision'
import { sha256 } from '../../core/hash.ts'
import { contextServer } from '../../core/tool-names.ts'
import type { ToolSubject } from '../../policy/types.ts'
import type { SplicedRound } from '../../wire/dialect.ts'

/** What one retriever has found. */
export interface ContextRead {
  /** Its name. */
  readonly source: string
  /** The name its contract is under, and its result. */
  readonly tool: string
  readonly callId: string
  readonly passages: number
  /** SHA-256 (hex) of the words as they were found. */
  readonly digest: string
  /** The words that the model reads. */
  readonly text: string
  readonly round: SplicedRound
}

export interface ContextOfCall {
  /** Index of the history entry of the person's message. */
  readonly said: number
  /** Index of the answer behind it; undefined where there is none yet. */
  readonly answered: number | undefined
  readonly reads: readonly ContextRead[]
  /** What the outcome of the call says of it. */
  readonly records: NonNullable<DecisionRecord['context']>
}

/** Bytes that it adds to a request, about. */
export function contextBytes(context: ContextOfCall | undefined): number {
  return context?.reads.reduce((sum, { text }) => sum + Buffer.byteLength(text) + 128, 0) ?? 0
}

/** Rounds that stand before the answer with this index. */
export function roundsBefore(context: ContextOfCall | undefined, index: number): readonly SplicedRound[] {
  return context?.answered === index ? context.reads.map(({ round }) => round) : []
}

/** What a model reads of passages. */
export function textOfPassages(passages: readonly string[]): { readonly text: string; readonly digest: string } {
  const text = passages.map((passage, index) => `[${index + 1}] ${passage}`).join('\n\n')
  return { text, digest: sha256(text) }
}

/** A retriever as the engine sees it: a tool that has been called. */
export function subjectOf(source: string): ToolSubject {
  return { name: `${contextServer}__${source}`, server: contextServer }
}
