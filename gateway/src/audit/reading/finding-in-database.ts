/** Finding records of all writers in PostgreSQL, window by window against the order of their times. */
import type { PostgresPlace } from '../../store/postgres/connecting.ts'
import { type Session, withSession } from '../postgres/session.ts'
import { columnText } from '../postgres/wire-text.ts'
import { fromRow, type RecordRow, type StoredRecord } from '../stored-record.ts'
import { matches, type RecordFilter, textsOf } from './record-filter.ts'
import { type FoundRecords, positionOf, type Position, type RecordSearch } from './record-search.ts'

/** Records of one statement, where their texts are looked at. */
const windowRecords = 2000
const newestOfAll: Position = { time: Number.MAX_SAFE_INTEGER, writer: 2 ** 31 - 1, seq: Number.MAX_SAFE_INTEGER }

interface WindowRow extends RecordRow, Record<string, unknown> {
  readonly writer: number
  readonly time: number
  /** How many records the window has; of its last record, which is there for its place. */
  readonly count: number | null
}

export function findInDatabase(
  place: PostgresPlace,
  { filter, after = newestOfAll, limit, most }: RecordSearch & { readonly most: number },
): Promise<FoundRecords> {
  return withSession(place, 'turnward reading', async (session) => {
    const window = windowOf(session, filter, limit)
    const records: StoredRecord[] = []
    let end = after
    for (let looked = 0; looked < most;) {
      const { found, last, isLast, count } = await window(end)
      for (const row of found) {
        const stored = fromRow(row)
        if (!matches(stored.record, filter)) continue
        records.push(stored)
        if (records.length === limit) return { records, next: positionOf(stored) }
      }
      if (isLast) return { records, next: undefined }
      looked += count
      end = last
    }
    return { records, next: end }
  })
}

interface Window {
  readonly found: readonly WindowRow[]
  /** Where the window ends. */
  readonly last: Position
  readonly isLast: boolean
  readonly count: number
}

/** Reads the window of records that come after a place. */
function windowOf(session: Session, filter: RecordFilter, limit: number): (after: Position) => Promise<Window> {
  const values: unknown[] = []
  const value = (one: unknown): string => `$${values.push(one) + 4}`
  const { from, to, turn, session: conversation } = filter
  const places = [
    '(time, writer, seq) < ($1, $2, $3)',
    ...(from === undefined ? [] : [`time >= ${value(from)}`]),
    ...(to === undefined ? [] : [`time < ${value(to)}`]),
    ...(turn === undefined ? [] : [`turn = ${value(columnText(turn))}`]),
    ...(conversation === undefined ? [] : [`session = ${value(columnText(conversation))}`]),
  ]
  const { exact, oneOf, small } = textsOf(filter)
  const texts = [
    ...exact.map((text) => `position(${value(text)} in record) > 0`),
    ...(oneOf.length === 0 ? [] : [`(${oneOf.map((text) => `position(${value(text)} in record) > 0`).join(' or ')})`]),
    ...(small === undefined ? [] : [`position(${value(small)} in lower(record collate "C")) > 0`]),
  ]
  const size = texts.length === 0 ? limit : windowRecords
  const text = `with looked as materialized (
      select writer, seq, hash, time, record from records where ${places.join(' and ')}
      order by time desc, writer desc, seq desc limit $4
    )
    select writer, seq, hash, time, record, null::integer as count from looked ${texts.length === 0 ? '' : `where ${texts.join(' and ')}`}
    union all
    (select writer, seq, '', time, '', (select count(*)::integer from looked) from looked order by time, writer, seq limit 1)
    order by time desc, writer desc, seq desc`
  return async ({ time, writer, seq }) => {
    const { rows } = await session.query<WindowRow>(text, [time, writer, seq, size, ...values])
    const last = rows.find(({ count }) => count !== null)
    const count = last?.count ?? 0
    const end = last === undefined ? { time, writer, seq } : { time: last.time, writer: last.writer, seq: last.seq }
    return { found: rows.filter((row) => row.count === null), last: end, isLast: count < size, count }
  }
}
