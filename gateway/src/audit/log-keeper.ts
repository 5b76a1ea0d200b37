/** What the log's thread needs of the place it writes to. One call at a time; each may take its time and says then what is true. */
import type { LogRow } from './log-protocol.ts'

/** Where a chain of records stands. */
export interface ChainEnd {
  /** Number of the writer among those of the log; 0 in a folder, which has one. */
  readonly writer: number
  /** Sequence number of the last record. */
  readonly seq: number
  readonly hash: string
}

export interface LogKeeper {
  /** The last record that is known to be durable. */
  readonly end: ChainEnd
  /** Records that no checkpoint covers yet. */
  readonly uncovered: number
  /** What an administrator should look at, found when the log was opened. */
  readonly warning: string | undefined
  /** Writes all rows durably. When it throws or rejects, none of them is in the log. */
  commit(rows: readonly LogRow[]): Promise<void> | void
  /** Signs the state of the chain. `time`: Unix milliseconds. Does nothing when nothing is new. */
  checkpoint(time: number): Promise<void> | void
  /** Throws or rejects unless the log can be written. */
  probe(time: number): Promise<void> | void
  /** Signs what is not signed yet and lets go of everything. Throws or rejects with what could not be done, having let go. */
  close(time: number): Promise<void> | void
}
