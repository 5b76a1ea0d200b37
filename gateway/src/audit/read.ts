/**
 * Reading records back: by turn, by session, the newest, or as they come. For the CLI and for bounded pages, not for a request
 * on the hot path.
 *
 * One chain has one order. Records of several writers are put in order by the time they say, and by their numbers in one
 * chain: between two replicas that is as exact as their clocks, which may differ by minutes. What follows from what is said by
 * the chains and by the records themselves (a turn, a call), never by this order.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { DecisionRecord } from '@turnward/contract/decision'
import type { ReadingPlace } from './log-place.ts'
import { DatabaseTail, databaseRecords, databaseTurn, visitDatabase } from './postgres/read-database.ts'
import { folderRecords, FolderTail, folderTurn, visitFolder } from './read-folder.ts'
import type { RecordQuery, StoredRecord } from './stored-record.ts'

const pollMs = 200

/** Records that match, in order; none when there is no log. Rejects with `store.failed`. */
export async function readRecords(place: ReadingPlace, query: RecordQuery = {}): Promise<StoredRecord[]> {
  return place.kind === 'sqlite' ? folderRecords(place.dataDir, query) : databaseRecords(place.database, query)
}

/** Shows records to `visit`, the newest first and one at a time, until it says `stop`. Shows none when there is no log. Rejects with `store.failed`. */
export async function visitNewest(place: ReadingPlace, visit: (record: DecisionRecord) => 'on' | 'stop'): Promise<void> {
  if (place.kind === 'sqlite') visitFolder(place.dataDir, visit)
  else await visitDatabase(place.database, visit)
}

/**
 * The `last` records there are now (default: none), then every new one, until the signal. One of a writer that is slower than
 * the others, or whose clock is behind, comes when it is written, after records that say they are newer.
 * Rejects with `store.failed`.
 */
export async function* tailRecords(
  place: ReadingPlace,
  options: { readonly signal: AbortSignal; readonly last?: number | undefined },
): AsyncGenerator<StoredRecord, void> {
  const tail = place.kind === 'sqlite' ? new FolderTail(place.dataDir) : await DatabaseTail.open(place.database)
  try {
    let records = await tail.last(options.last ?? 0)
    while (!options.signal.aborted) {
      for (const record of records) {
        if (options.signal.aborted) return
        yield record
      }
      records = await tail.next()
      if (records.length === 0) await delay(pollMs, undefined, { signal: options.signal }).catch(() => {})
    }
  } finally {
    await tail.close()
  }
}

/**
 * The id of a turn from its id, the beginning of it, or `last`; undefined when there is none.
 * Rejects with `request.invalid` when the beginning fits several, with `store.failed` when the log cannot be read.
 */
export async function findTurn(place: ReadingPlace, idOrPrefix: string): Promise<string | undefined> {
  return place.kind === 'sqlite' ? folderTurn(place.dataDir, idOrPrefix) : databaseTurn(place.database, idOrPrefix)
}
