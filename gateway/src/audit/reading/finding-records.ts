/**
 * Finding records, the newest first and page by page. A page looks through a bounded number of records and says where the next one goes
 * on, so that no question, however rare what it asks for, keeps a reader busy for long.
 */
import type { ReadingPlace } from '../log-place.ts'
import { findInDatabase } from './finding-in-database.ts'
import { findInFolder } from './finding-in-folder.ts'
import type { FoundRecords, RecordSearch } from './record-search.ts'

const mostLookedThrough = 50_000

/** Rejects with `store.failed`. Nothing is found where there is no log. */
export async function findRecords(place: ReadingPlace, { most = mostLookedThrough, ...search }: RecordSearch): Promise<FoundRecords> {
  if (place.kind === 'sqlite') return findInFolder(place.dataDir, { ...search, most })
  return findInDatabase(place.database, { ...search, most })
}
