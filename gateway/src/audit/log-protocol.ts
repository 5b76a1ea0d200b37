/** Messages between the log's writer and the thread that holds its files or its connection. Types only: both sides import it. */
import type { ChainEnd } from './log-keeper.ts'
import type { LogPlace } from './log-place.ts'

export interface LogThreadData {
  readonly place: LogPlace
  /** The last record the thread before this one said was written; undefined for the first. A chain of its own is then gone on with. */
  readonly resume?: ChainEnd | undefined
  readonly checkpointRecords: number
  readonly checkpointMs: number
}

/** A record on its way to disk. `json` is the exact text that is hashed and stored. */
export interface LogRow {
  readonly json: string
  readonly session: string | null
  readonly turn: string | null
}

export type ToLogThread =
  /** `text`: the rows of a batch, see `batch-text.ts`. */
  | { readonly type: 'commit'; readonly text: string }
  /** Sent while the log is failing: can it be written again? */
  | { readonly type: 'probe' }
  | { readonly type: 'close' }

export type FromLogThread =
  /** The log is open and ends there. `warning`: what an administrator should look at. */
  | { readonly type: 'ready'; readonly end: ChainEnd; readonly warning: string | undefined }
  /** The log could not be opened; the thread ends. */
  | { readonly type: 'refused'; readonly subject: string | undefined; readonly why: string; readonly fix: string | undefined }
  | { readonly type: 'committed'; readonly end: ChainEnd }
  /** What was sent to the database was not answered. The thread finds out, and answers then. */
  | { readonly type: 'unsettled'; readonly why: string }
  /** Nothing of the batch was written. */
  | { readonly type: 'failed'; readonly why: string }
  /** A checkpoint could not be written; records before it are safe. */
  | { readonly type: 'checkpoint_failed'; readonly why: string }
  /** `why` is undefined when the log can be written again. */
  | { readonly type: 'probed'; readonly why: string | undefined }
  | { readonly type: 'closed'; readonly why: string | undefined }
