/** A record as it comes back from a log, whichever kind of log it is, and what can be asked for. */
import { decisionRecordSchema, type DecisionRecord } from '@turnward/contract/decision'
import { TurnwardError } from '../core/error.ts'
import { inPresentWords } from './older-records.ts'

/** A record and its place in its chain. */
export interface StoredRecord {
  /** Number of the writer whose chain it is in; 0 in a folder, which has one. */
  readonly writer: number
  readonly seq: number
  readonly hash: string
  readonly record: DecisionRecord
}

export interface RecordQuery {
  readonly turn?: string | undefined
  readonly session?: string | undefined
  /** At most this many; default 1,000, at most 100,000. */
  readonly limit?: number | undefined
  /** The newest ones of those that match, instead of the oldest; the answer is in order either way. */
  readonly last?: boolean | undefined
}

const defaultLimit = 1000
const maximalLimit = 100_000

/** How many records a query may give. */
export function limitOf(query: RecordQuery): number {
  return Math.max(0, Math.min(Math.trunc(query.limit ?? defaultLimit), maximalLimit))
}

/** A row of the table of records. */
export interface RecordRow {
  readonly writer?: number
  readonly seq: number
  readonly hash: string
  readonly record: string
}

/** Throws `store.failed` when the text is no record. */
export function fromRow({ writer = 0, seq, hash, record }: RecordRow): StoredRecord {
  let value: unknown
  try {
    value = inPresentWords(JSON.parse(record))
  } catch {
    value = undefined
  }
  const { success } = decisionRecordSchema.safeParse(value)
  if (success) return { writer, seq, hash, record: value as DecisionRecord }
  throw new TurnwardError('store.failed', {
    subject: writer === 0 ? `record ${seq}` : `record ${seq} of writer ${writer}`,
    why: 'it is not a decision record this release can read',
    fix: 'Run `turnward audit verify`.',
  })
}

/** Throws `request.invalid` when several turns begin like what was given. */
export function theOneTurn(idOrPrefix: string, found: ReadonlySet<string>): string | undefined {
  if (found.has(idOrPrefix)) return idOrPrefix
  if (found.size > 1)
    throw new TurnwardError('request.invalid', {
      subject: idOrPrefix,
      why: 'several turns begin like this',
      fix: 'Give more of the turn id.',
    })
  return found.values().next().value
}
