/** Reading the records of all writers of a log in PostgreSQL. Order: the time a record says, then its writer and its number. */
import type { PostgresPlace } from '../../store/postgres/connecting.ts'
import { asStoreFailure } from '../../store/postgres/connecting.ts'
import { fromRow, limitOf, theOneTurn, type RecordQuery, type RecordRow, type StoredRecord } from '../stored-record.ts'
import { Session, withSession } from './session.ts'
import { columnText } from './wire-text.ts'

const application = 'turnward reading'
const pageSize = 1000

type Row = RecordRow & { readonly writer: number; readonly time: number } & Record<string, unknown>

/** Records that match. Rejects with `store.failed`. */
export function databaseRecords(place: PostgresPlace, query: RecordQuery): Promise<StoredRecord[]> {
  return withSession(place, application, (session) => select(session, query))
}

async function select(session: Session, query: RecordQuery): Promise<StoredRecord[]> {
  const records: StoredRecord[] = []
  const limit = limitOf(query)
  for await (const row of pages(session, query)) {
    if (records.length >= limit) break
    const stored = fromRow(row)
    // A column holds the beginning of a long id only.
    if (query.turn !== undefined && stored.record.turn !== query.turn) continue
    if (query.session !== undefined && stored.record.session !== query.session) continue
    records.push(stored)
  }
  return query.last === true ? records.reverse() : records
}

/** Rows that match, page after page: a page is small, whatever is asked for. */
async function* pages(session: Session, { turn, session: conversation, last = false, limit }: RecordQuery): AsyncGenerator<Row> {
  const wanted = Object.entries({ turn, session: conversation }).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const conditions = wanted.map(([column], index) => `${column} = $${index + 5}`)
  const [order, beyond] = last ? ['desc', '<'] : ['asc', '>']
  const size = Math.min(pageSize, Math.max(1, limit ?? pageSize))
  let after: readonly [number, number, number] = last ? [Number.MAX_SAFE_INTEGER, 2 ** 31 - 1, 0] : [Number.MIN_SAFE_INTEGER, 0, 0]
  for (;;) {
    const { rows } = await session.query<Row>(
      `select writer, seq, hash, time, record from records
       where ${[`(time, writer, seq) ${beyond} ($1, $2, $3)`, ...conditions].join(' and ')}
       order by time ${order}, writer ${order}, seq ${order} limit $4`,
      [...after, size, ...wanted.map(([, key]) => columnText(key))],
    )
    yield* rows
    const end = rows.at(-1)
    if (end === undefined || rows.length < size) return
    after = [end.time, end.writer, end.seq]
  }
}

/** Shows records, the newest first, until told to stop. Rejects with `store.failed`. */
export function visitDatabase(place: PostgresPlace, visit: (record: StoredRecord['record']) => 'on' | 'stop'): Promise<void> {
  return withSession(place, application, async (session) => {
    for await (const row of pages(session, { last: true })) if (visit(fromRow(row).record) === 'stop') return
  })
}

/** Rejects with `request.invalid` when several turns begin like this, with `store.failed` when it cannot be read. */
export function databaseTurn(place: PostgresPlace, idOrPrefix: string): Promise<string | undefined> {
  return withSession(place, application, async (session) => {
    if (idOrPrefix === '') return undefined
    if (idOrPrefix === 'last') {
      const text =
        'select record, seq, hash, writer, time from records where turn is not null order by time desc, writer desc, seq desc limit 1'
      const last = (await session.query<Row>(text)).rows[0]
      return last === undefined ? undefined : (fromRow(last).record.turn ?? undefined)
    }
    return theOneTurn(idOrPrefix, await turnsLike(session, idOrPrefix))
  })
}

/** At most two turns whose ids begin like this, the shortest first. */
async function turnsLike(session: Session, prefix: string): Promise<Set<string>> {
  const found = new Set<string>()
  const next = `select record, seq, hash, writer, time from records where turn > $1 and turn < $2 order by turn limit 1`
  const exact = `select record, seq, hash, writer, time from records where turn = $1 limit 1`
  const start = columnText(prefix) ?? ''
  let [row] = (await session.query<Row>(exact, [start])).rows
  row ??= (await session.query<Row>(next, [start, `${start}\u{10ffff}`])).rows[0]
  while (row !== undefined && found.size < 2) {
    const turn = fromRow(row).record.turn ?? ''
    if (turn.startsWith(prefix)) found.add(turn)
    row = (await session.query<Row>(next, [columnText(turn), `${start}\u{10ffff}`])).rows[0]
  }
  return found
}

/**
 * Follows all writers: for each one the number up to which its records were seen, so that none of a slow writer is passed over.
 * A writer is forgotten once its chain was closed and nothing more of it came.
 */
export class DatabaseTail {
  readonly #session: Session
  readonly #place: PostgresPlace
  readonly #seen = new Map<number, number>()
  #lastWriter = 0

  private constructor(session: Session, place: PostgresPlace) {
    this.#session = session
    this.#place = place
  }

  /** Begins at what is there now. Rejects with `store.failed`. */
  static async open(place: PostgresPlace): Promise<DatabaseTail> {
    const session = await Session.open(place, application)
    const tail = new DatabaseTail(session, place)
    try {
      for (const writer of await tail.#open()) tail.#seen.set(writer, 0)
      const { rows } = await session.query<{ writer: number; seq: number }>(
        `select writer, coalesce((select max(seq) from records where records.writer = known.writer), 0) as seq from unnest($1::integer[]) as known (writer)`,
        [[...tail.#seen.keys()]],
      )
      for (const { writer, seq } of rows) tail.#seen.set(writer, seq)
      return tail
    } catch (error) {
      session.drop()
      throw asStoreFailure(error, place)
    }
  }

  /** The last ones that were there when it began; those that came since are left to `next`. */
  async last(limit: number): Promise<StoredRecord[]> {
    if (limit === 0) return []
    const records = await select(this.#session, { last: true, limit })
    return records.filter(({ writer, seq }) => writer <= this.#lastWriter && seq <= (this.#seen.get(writer) ?? Number.MAX_SAFE_INTEGER))
  }

  /** Those that came since. Rejects with `store.failed`. */
  async next(): Promise<StoredRecord[]> {
    try {
      const open = new Set(await this.#open())
      for (const writer of open) if (!this.#seen.has(writer)) this.#seen.set(writer, 0)
      const { rows } = await this.#session.query<Row>(
        `select found.* from unnest($1::integer[], $2::bigint[]) as known (writer, seq) cross join lateral (
           select writer, seq, hash, time, record from records where records.writer = known.writer and records.seq > known.seq order by records.seq limit $3
         ) as found order by time, writer, seq`,
        [[...this.#seen.keys()], [...this.#seen.values()], Math.ceil(pageSize / Math.max(1, this.#seen.size))],
      )
      const advanced = new Set<number>()
      for (const { writer, seq } of rows) {
        advanced.add(writer)
        this.#seen.set(writer, Math.max(seq, this.#seen.get(writer) ?? 0))
      }
      for (const writer of this.#seen.keys()) if (!open.has(writer) && !advanced.has(writer)) this.#seen.delete(writer)
      return rows.map(fromRow)
    } catch (error) {
      throw asStoreFailure(error, this.#place)
    }
  }

  /** Writers whose chain goes on, and those that were not there the last time. */
  async #open(): Promise<number[]> {
    const { rows } = await this.#session.query<{ number: number }>(
      `select number from writers where number > $1 or not exists (select from checkpoints where writer = number and closed) order by number`,
      [this.#lastWriter],
    )
    this.#lastWriter = rows.reduce((last, { number }) => Math.max(last, number), this.#lastWriter)
    return rows.map(({ number }) => number)
  }

  close(): Promise<void> {
    return this.#session.end()
  }
}
