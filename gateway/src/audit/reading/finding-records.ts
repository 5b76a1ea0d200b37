/**
 * Finding records, the newest first and page by page. A page looks through a bounded number of records and says where the next one goes
 * on, so that no question, however rare what it asks for, keeps a reader busy for long.
 */
import type { ReadingPlace } from '../log-place.ts'
import type { StoredRecord } from '../stored-record.ts'
import { findInDatabase } from './finding-in-database.ts'
import { findInFolder } from './finding-in-folder.ts'
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

const mostLookedThrough = 50_000

/** Rejects with `store.failed`. Nothing is found where there is no log. */
export async function findRecords(place: ReadingPlace, { most = mostLookedThrough, ...search }: RecordSearch): Promise<FoundRecords> {
  if (place.kind === 'sqlite') return findInFolder(place.dataDir, { ...search, most })
  return findInDatabase(place.database, { ...search, most })
}

export function positionOf({ writer, seq, record: { time } }: StoredRecord): Position {
  return { time, writer, seq }
}
