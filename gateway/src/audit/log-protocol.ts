/** Messages between the log's writer and the thread that holds its files. Types only: both sides import it. */
export interface LogThreadData {
  readonly dataDir: string
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
  /** The log is open and ends at `seq`. `warning`: what an administrator should look at. */
  | { readonly type: 'ready'; readonly seq: number; readonly warning: string | undefined }
  /** The log could not be opened; the thread ends. */
  | { readonly type: 'refused'; readonly why: string; readonly fix: string | undefined }
  | { readonly type: 'committed'; readonly seq: number }
  /** Nothing of the batch was written. */
  | { readonly type: 'failed'; readonly why: string }
  /** A checkpoint could not be written; records before it are safe. */
  | { readonly type: 'checkpoint_failed'; readonly why: string }
  /** `why` is undefined when the log can be written again. */
  | { readonly type: 'probed'; readonly why: string | undefined }
  | { readonly type: 'closed'; readonly why: string | undefined }
