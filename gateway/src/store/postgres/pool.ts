/**
 * The connections of one process to its PostgreSQL: opened when they are wanted, dropped when they broke, and not asked for
 * again and again while the server is away. Every failure leaves here as one coded error.
 */
import { Pool, type PoolClient } from 'pg'
import { TurnwardError } from '../../core/error.ts'
import { asStoreFailure, clientConfig, sqlState, type PostgresPlace } from './connecting.ts'

const firstPauseMs = 50
const longestPauseMs = 2000
const idleMs = 30_000
/** PostgreSQL's type number of `bigint`, which we use for milliseconds and counts: they fit a number. */
const bigintType = 20

/** What Kysely, and statements of our own, need of a connection. */
export class PostgresConnections {
  readonly options: object = {}
  readonly #place: PostgresPlace
  readonly #pool: Pool
  readonly #most: number
  #failure: TurnwardError | undefined
  /** Until then nobody tries (milliseconds of `performance.now`). */
  #pausedUntil = 0
  #pauseMs = 0

  /** `most`: connections at a time; who needs another one waits, at most as long as a connection may take to make. */
  constructor(place: PostgresPlace, most: number) {
    this.#place = place
    this.#most = most
    this.#pool = new Pool({
      ...clientConfig(place, 'turnward'),
      max: most,
      idleTimeoutMillis: idleMs,
      types: { getTypeParser: parserOf },
    })
    // A connection that breaks while nobody uses it leaves the pool; whoever comes next gets another one.
    this.#pool.on('error', () => {})
  }

  /** Why the server could not be reached the last time; undefined while it can. Who asks after a failure has it tried again. */
  get failure(): TurnwardError | undefined {
    if (this.#failure !== undefined && performance.now() >= this.#pausedUntil)
      this.connect().then(
        (connection) => connection.release(),
        () => {},
      )
    return this.#failure
  }

  /** A connection of the caller's own until it is released. Rejects with `store.failed`. */
  async connect(): Promise<PostgresConnection> {
    if (this.#failure !== undefined && performance.now() < this.#pausedUntil) throw this.#failure
    try {
      const client = await this.#pool.connect()
      this.#failure = undefined
      this.#pauseMs = 0
      return new PostgresConnection(client, this.#place)
    } catch (error) {
      // Who waited in vain for one of those that are in use knows nothing of the server.
      if (this.#pool.totalCount >= this.#most && sqlState(error) === undefined)
        throw new TurnwardError('store.failed', {
          why: `all ${this.#most} connections are in use`,
          fix: 'Raise `store.pool`.',
          retryAfterSeconds: 1,
          cause: error,
        })
      this.#failure = asStoreFailure(error, this.#place)
      this.#pauseMs = Math.min(longestPauseMs, Math.max(firstPauseMs, this.#pauseMs * 2))
      this.#pausedUntil = performance.now() + this.#pauseMs
      throw this.#failure
    }
  }

  /** Runs one statement on a connection of its own. Rejects with `store.failed`. */
  async query<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const connection = await this.connect()
    try {
      return (await connection.query<Row>(sql, parameters)).rows
    } finally {
      connection.release()
    }
  }

  /** Waits for statements in flight, then closes every connection. */
  end(): Promise<void> {
    return this.#pool.end()
  }
}

/** The result of a statement, as Kysely takes it. */
interface StatementResult<Row> {
  readonly command: 'UPDATE' | 'DELETE' | 'INSERT' | 'MERGE'
  readonly rowCount: number
  readonly rows: Row[]
}

class PostgresConnection {
  readonly #client: PoolClient
  readonly #place: PostgresPlace
  #isBroken = false

  constructor(client: PoolClient, place: PostgresPlace) {
    this.#client = client
    this.#place = place
  }

  async query<Row>(sql: unknown, parameters: readonly unknown[] = []): Promise<StatementResult<Row>> {
    if (typeof sql !== 'string') throw new TurnwardError('store.failed', { why: 'streaming is not offered: read in pages' })
    try {
      return (await this.#client.query(sql, [...parameters])) as unknown as StatementResult<Row>
    } catch (error) {
      // Without a word of the server nobody knows what this connection is doing now.
      this.#isBroken ||= sqlState(error) === undefined
      throw asStoreFailure(error, this.#place)
    }
  }

  release(): void {
    this.#client.release(this.#isBroken)
  }
}

function parserOf(type: number): (text: string) => unknown {
  return parsers.get(type) ?? asText
}

const asText = (text: string): string => text
const parsers = new Map<number, (text: string) => unknown>([
  [bigintType, Number],
  // int2, int4, oid, float8
  [21, Number],
  [23, Number],
  [26, Number],
  [701, Number],
  // bool
  [16, (text) => text === 't'],
])
