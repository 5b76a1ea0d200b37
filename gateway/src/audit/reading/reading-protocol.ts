/** Messages between whoever asks for records and the thread that reads them. Types only: both sides import it. */
import type { TurnTree } from '@turnward/contract/api/turns'
import type { ErrorCodeName } from '@turnward/contract/error-codes'
import type { CountedRecords } from '../../store/summaries/summaries.ts'
import type { ReadingPlace } from '../log-place.ts'
import type { FoundRecords, RecordSearch } from './record-search.ts'

export interface ReadingThreadData {
  readonly place: ReadingPlace
}

/** A turn as it is on record. */
export interface TurnOnRecord {
  readonly tree: TurnTree
  /** How many records it is made of. */
  readonly records: number
  /** Whether it has more, which were left out. */
  readonly truncated: boolean
}

/** What can be asked -> what is asked with, and what is answered. */
export interface Readings {
  /** `principal`: only records of calls for them. Undefined when there are none. */
  readonly turn: {
    readonly asked: { readonly turn: string; readonly principal: string | undefined }
    readonly answered: TurnOnRecord | undefined
  }
  /** What records come to that no summary has counted. */
  readonly count: { readonly asked: ReadonlyMap<string, number>; readonly answered: readonly CountedRecords[] }
  readonly find: { readonly asked: RecordSearch; readonly answered: FoundRecords }
}
export type Reading = keyof Readings

export interface ReadingAsk<What extends Reading = Reading> {
  readonly id: number
  readonly what: What
  readonly asked: Readings[What]['asked']
}

export type ReadingReply =
  | { readonly id: number; readonly answered: Readings[Reading]['answered'] }
  | {
      readonly id: number
      readonly error: {
        readonly code: ErrorCodeName
        readonly subject: string | undefined
        readonly why: string | undefined
        readonly fix: string
        readonly retryAfterSeconds: number | undefined
      }
    }
