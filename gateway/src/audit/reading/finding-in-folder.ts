/** Finding records in a folder's log, window by window against the order of its one chain. On the calling thread. */
import type { DatabaseSync } from 'node:sqlite'
import { openForReading } from '../log-reader.ts'
import { spansOf, type Span } from '../record-spans.ts'
import { fromRow, type RecordRow, type StoredRecord } from '../stored-record.ts'
import { matches, type RecordFilter, textsOf } from './record-filter.ts'
import { type FoundRecords, positionOf, type RecordSearch } from './record-search.ts'

/** Records of one statement. */
const windowRecords = 2000
/** How far the times that records say may be out of their order: a clock that is set back, a record that waited. */
const slackMs = 10 * 60_000

export function findInFolder(dataDir: string, { filter, after, limit, most }: RecordSearch & { readonly most: number }): FoundRecords {
  const database = openForReading(dataDir)
  if (database === undefined) return { records: [], next: undefined }
  try {
    const newest = after === undefined ? Number.MAX_SAFE_INTEGER : after.seq - 1
    const spans = overlapping(placesOf(database, filter), timeSpan(database, filter, newest))
    const found = matchingIn(database, filter)
    const records: StoredRecord[] = []
    let looked = 0
    for (const { first, last } of spans.reverse()) {
      for (let end = last; end >= first; end -= windowRecords) {
        const start = Math.max(first, end - windowRecords + 1)
        for (const record of found({ first: start, last: end })) {
          records.push(record)
          if (records.length === limit) return { records, next: positionOf(record) }
        }
        looked += end - start + 1
        if (looked >= most) return { records, next: { time: 0, writer: 0, seq: start } }
      }
    }
    return { records, next: undefined }
  } finally {
    database.close()
  }
}

/** Looks through one window, the newest first. */
function matchingIn(database: DatabaseSync, filter: RecordFilter): (window: Span) => Generator<StoredRecord> {
  const { exact, oneOf, small } = textsOf(filter)
  const conditions = [
    'seq BETWEEN ? AND ?',
    ...exact.map(() => 'instr(record, ?) > 0'),
    ...(oneOf.length === 0 ? [] : [`(${oneOf.map(() => 'instr(record, ?) > 0').join(' OR ')})`]),
    ...(small === undefined ? [] : ['instr(lower(record), ?) > 0']),
  ]
  const statement = database.prepare(`SELECT seq, hash, record FROM records WHERE ${conditions.join(' AND ')} ORDER BY seq DESC`)
  const texts = [...exact, ...oneOf, ...(small === undefined ? [] : [small])]
  return function* ({ first, last }) {
    for (const row of statement.iterate(first, last, ...texts)) {
      const found = fromRow(row as unknown as RecordRow)
      if (matches(found.record, filter)) yield found
    }
  }
}

/** Where records of the turn or session can lie, in order. */
function placesOf(database: DatabaseSync, { turn, session }: RecordFilter): readonly Span[] {
  if (turn !== undefined) return spansOf(database, 'turn', turn)
  if (session !== undefined) return spansOf(database, 'session', session)
  return [{ first: 1, last: Number.MAX_SAFE_INTEGER }]
}

/** Where records of this time can lie, among those up to `newest`. */
function timeSpan(database: DatabaseSync, { from, to }: RecordFilter, newest: number): Span {
  // Each by itself: the two together would be looked for in every row.
  const ends = database.prepare('SELECT (SELECT min(seq) FROM records) AS first, (SELECT max(seq) FROM records) AS last').get()
  const whole = { first: Number(ends?.['first'] ?? 1), last: Math.min(Number(ends?.['last'] ?? 0), newest) }
  return {
    first: from === undefined ? whole.first : firstSince(database, whole, from - slackMs),
    last: to === undefined ? whole.last : Math.min(whole.last, firstSince(database, whole, to + slackMs) - 1),
  }
}

/** Number of the first record that says a time not before this one; one past the last when there is none. */
function firstSince(database: DatabaseSync, { first, last }: Span, time: number): number {
  const at = database.prepare(`SELECT json_extract(record, '$.time') AS time FROM records WHERE seq = ?`)
  let [low, high] = [first, last + 1]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (Number(at.get(middle)?.['time'] ?? 0) < time) low = middle + 1
    else high = middle
  }
  return low
}

function overlapping(spans: readonly Span[], within: Span): Span[] {
  return spans
    .map(({ first, last }) => ({ first: Math.max(first, within.first), last: Math.min(last, within.last) }))
    .filter(({ first, last }) => first <= last)
}
