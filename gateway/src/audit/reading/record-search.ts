/** A question to the decision log, and what is found. */
import type { StoredRecord } from '../stored-record.ts'
import type { RecordFilter } from './record-filter.ts'

/** A place in the order of a log; records that come later are before it, and change nothing behind it. */
export interface Position {
  /** What the record there says; a folder goes by its numbers alone. */
  readonly time: number
  readonly writer: number
  readonly seq: number
}

export interface RecordSearch {
  readonly filter: RecordFilter
  /** Only what comes after this in the answer, which is older; all of it without. */
  readonly after?: Position | undefined
  readonly limit: number
  /** How many records are looked through at most; about 50,000 without. */
  readonly most?: number | undefined
}

export interface FoundRecords {
  /** The newest first. */
  readonly records: readonly StoredRecord[]
  /** Where to go on; undefined when all was looked through. */
  readonly next: Position | undefined
}

export function positionOf({ writer, seq, record: { time } }: StoredRecord): Position {
  return { time, writer, seq }
}
