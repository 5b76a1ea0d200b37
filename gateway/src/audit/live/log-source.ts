/** A log as whoever follows it reads it, in a folder or in PostgreSQL: where it ends, and what lies between two places. Reads only. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { TurnwardError } from '../../core/error.ts'
import { sha256 } from '../../core/hash.ts'
import { asStoreFailure, type PostgresPlace } from '../../store/postgres/connecting.ts'
import type { ReadingPlace } from '../log-place.ts'
import { openForReading } from '../log-reader.ts'
import { Session } from '../postgres/session.ts'
import type { RecordRow } from '../stored-record.ts'
import { type LogPosition, mostChains, type Stretch } from './log-position.ts'

/** Text of records that is read at a time, in characters; one record more than that at most. */
export const mostText = 256 * 1024

export interface LogSource {
  /** How long to wait before looking again. */
  readonly pollMs: number
  /** Where the log ends now. Rejects with `store.failed`. */
  head(): Promise<LogPosition>
  /** From now on the chains that go on after a position are looked at as well. */
  include(position: LogPosition): Promise<void>
  /** Everything of this chain was read by everybody. Nothing happens where it may go on. */
  forget(writer: number): void
  /** The first records of each stretch, at most `limit` altogether, those of a chain in its order. */
  read(stretches: readonly Stretch[], limit: number): Promise<readonly RecordRow[]>
  close(): Promise<void>
}

/** Rejects with `store.failed`. */
export async function openSource(place: ReadingPlace): Promise<LogSource> {
  return place.kind === 'sqlite' ? new FolderSource(place.dataDir) : DatabaseSource.open(place.database)
}

function nameOfLog(chain: unknown): string {
  return sha256(String(chain)).slice(0, 8)
}

class FolderSource implements LogSource {
  readonly pollMs = 100
  readonly #database: DatabaseSync
  readonly #log: string
  readonly #last: StatementSync
  readonly #read: StatementSync

  constructor(dataDir: string) {
    const database = openForReading(dataDir)
    if (database === undefined) throw new TurnwardError('store.failed', { subject: 'decision log', why: 'there is none yet' })
    this.#database = database
    this.#log = nameOfLog(database.prepare('SELECT name FROM chain').get()?.['name'])
    this.#last = database.prepare('SELECT max(seq) AS seq FROM records')
    this.#read = database.prepare('SELECT seq, hash, record FROM records WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT ?')
  }

  async head(): Promise<LogPosition> {
    return { log: this.#log, lastWriter: 0, seen: new Map([[0, Number(this.#last.get()?.['seq'] ?? 0)]]) }
  }

  async include(): Promise<void> {}

  forget(): void {}

  async read(stretches: readonly Stretch[], limit: number): Promise<readonly RecordRow[]> {
    const rows: RecordRow[] = []
    for (const { from, to } of stretches) {
      let size = 0
      for (const row of this.#read.iterate(from, to, limit)) {
        const found = row as unknown as RecordRow
        rows.push(found)
        size += found.record.length
        if (size >= mostText) break
      }
    }
    return rows
  }

  async close(): Promise<void> {
    this.#database.close()
  }
}

interface WriterRow {
  readonly number: number
  readonly open: boolean
}

/** Every writer whose chain goes on, and those that somebody has still to read to their end. */
class DatabaseSource implements LogSource {
  readonly pollMs = 250
  readonly #session: Session
  readonly #place: PostgresPlace
  readonly #log: string
  readonly #known = new Set<number>()
  #open: ReadonlySet<number> = new Set()
  #lastWriter: number

  private constructor(session: Session, place: PostgresPlace, log: string, lastWriter: number) {
    this.#session = session
    this.#place = place
    this.#log = log
    this.#lastWriter = lastWriter
  }

  static async open(place: PostgresPlace): Promise<DatabaseSource> {
    const session = await Session.open(place, 'turnward live')
    try {
      const { rows } = await session.query<{ chain: string | null; last: number | null }>(
        'select (select chain from writers order by number limit 1) as chain, (select max(number) from writers) as last',
      )
      const source = new DatabaseSource(session, place, nameOfLog(rows[0]?.chain), rows[0]?.last ?? 0)
      // Those that ended before anybody listened are looked at for whoever asks.
      const { rows: open } = await session.query<{ number: number }>(
        'select number from writers where not exists (select from checkpoints where writer = number and closed)',
      )
      for (const { number } of open) source.#known.add(number)
      return source
    } catch (error) {
      session.drop()
      throw asStoreFailure(error, place)
    }
  }

  async head(): Promise<LogPosition> {
    // A chain that is closed before its end is looked at has got there.
    const writers = await this.#query<WriterRow>(
      `select number, not exists (select from checkpoints where writer = number and closed) as open from writers
       where number > $1 or number = any($2) order by number`,
      [this.#lastWriter, [...this.#known]],
    )
    this.#open = new Set(writers.filter(({ open }) => open).map(({ number }) => number))
    for (const { number } of writers) this.#known.add(number)
    this.#lastWriter = writers.reduce((last, { number }) => Math.max(last, number), this.#lastWriter)
    const ends = await this.#query<{ writer: number; seq: number }>(
      `select writer, coalesce((select max(seq) from records where records.writer = known.writer), 0) as seq
       from unnest($1::integer[]) as known (writer)`,
      [[...this.#known]],
    )
    return { log: this.#log, lastWriter: this.#lastWriter, seen: new Map(ends.map(({ writer, seq }) => [writer, seq])) }
  }

  async include({ lastWriter, seen }: LogPosition): Promise<void> {
    const found = await this.#query<{ number: number }>(
      'select number from writers where number > $1 or number = any($2) order by number desc limit $3',
      [lastWriter, [...seen.keys()], mostChains],
    )
    for (const { number } of found) this.#known.add(number)
  }

  forget(writer: number): void {
    if (!this.#open.has(writer)) this.#known.delete(writer)
  }

  async read(stretches: readonly Stretch[], limit: number): Promise<readonly RecordRow[]> {
    const rows = await this.#query<RecordRow & { readonly writer: number; readonly time: number }>(
      `select found.* from unnest($1::integer[], $2::bigint[], $3::bigint[]) as known (writer, first, last) cross join lateral (
         select writer, seq, hash, time, record from records
         where records.writer = known.writer and records.seq between known.first and known.last order by records.seq limit $4
       ) as found order by found.writer, found.seq`,
      [
        stretches.map(({ writer }) => writer),
        stretches.map(({ from }) => from),
        stretches.map(({ to }) => to),
        Math.ceil(limit / Math.max(1, stretches.length)),
      ],
    )
    return merged(rows, stretches)
  }

  async close(): Promise<void> {
    await this.#session.end()
  }

  async #query<Row>(text: string, values: unknown[]): Promise<readonly Row[]> {
    try {
      return (await this.#session.query<Row & Record<string, unknown>>(text, values)).rows
    } catch (error) {
      throw asStoreFailure(error, this.#place)
    }
  }
}

/**
 * Chains side by side by the times that their records say, none of a chain before the one it follows; and none that is newer than where
 * a chain was cut off, which may go on with older ones.
 */
function merged<Row extends { readonly writer: number; readonly seq: number; readonly time: number }>(
  rows: readonly Row[],
  stretches: readonly Stretch[],
): readonly Row[] {
  const latest = new Map<number, { readonly seq: number; readonly time: number }>()
  const timed = rows.map((row) => {
    const time = Math.max(row.time, latest.get(row.writer)?.time ?? row.time)
    latest.set(row.writer, { seq: row.seq, time })
    return { row, time }
  })
  const cutAt = stretches.flatMap(({ writer, to }) => {
    const last = latest.get(writer)
    return last === undefined || last.seq >= to ? [] : [last.time]
  })
  const horizon = Math.min(...cutAt, Number.MAX_SAFE_INTEGER)
  return timed
    .filter(({ time }) => time <= horizon)
    .sort((one, other) => one.time - other.time || one.row.writer - other.row.writer || one.row.seq - other.row.seq)
    .map(({ row }) => row)
}
