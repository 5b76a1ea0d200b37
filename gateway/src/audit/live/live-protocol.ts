/** Messages between whoever follows the log and the thread that reads it for all of them. Types only: both sides import it. */
import type { ErrorCodeName } from '@turnward/contract/error-codes'
import type { ReadingPlace } from '../log-place.ts'
import type { RecordFilter } from '../reading/record-filter.ts'
import type { LogPosition } from './log-position.ts'

export interface LiveThreadData {
  readonly place: ReadingPlace
}

/** What somebody follows. */
export interface Followed {
  readonly filter: RecordFilter
  /** Where to go on; from the end of the log without. */
  readonly from?: LogPosition | undefined
  /** Begins with so many earlier ones, where it begins at the end. */
  readonly last: number
}

export type ToLiveThread =
  | { readonly type: 'join'; readonly listener: number; readonly followed: Followed }
  /** The text before was taken: there may be another. */
  | { readonly type: 'ready'; readonly listener: number }
  | { readonly type: 'leave'; readonly listener: number }

export interface LiveFailure {
  readonly code: ErrorCodeName
  readonly subject: string | undefined
  readonly why: string | undefined
  readonly fix: string
}

export type FromLiveThread =
  /** Server-sent events, whole ones. The first of a listener says from where it listens. Nothing more comes until it is ready. */
  | { readonly type: 'text'; readonly listener: number; readonly text: string }
  /** The log cannot be read: these listen no more. */
  | { readonly type: 'failed'; readonly listeners: readonly number[]; readonly error: LiveFailure }
