/**
 * The one connection a writer of the decision log has to PostgreSQL, and the proof that it is the only one: a lock that
 * the server holds for it. Whoever gets the lock knows that whatever an earlier connection sent has ended, one way or the other.
 */
import { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Client, type QueryResult, type QueryResultRow } from 'pg'
import { TurnwardError } from '../../core/error.ts'
import { clientConfig, asStoreFailure, shownPlace, type PostgresPlace } from '../../store/postgres/connecting.ts'

/** PostgreSQL's number of `bigint`: our sequence numbers and milliseconds fit a number. */
const bigintType = 20
/** First of the two numbers of our advisory locks; the second one is the writer's, and 0 is the register of writers. */
export const lockClass = 0x7477_6c67
const lockPauseMs = 50
const lockTries = 100

/** An open connection. Statements run one after the other. */
export class Session {
  readonly #client: Client
  readonly #socket: Socket
  readonly #place: PostgresPlace
  #isBroken = false

  private constructor(client: Client, socket: Socket, place: PostgresPlace) {
    this.#client = client
    this.#socket = socket
    this.#place = place
    client.on('error', () => this.#lost())
    client.on('end', () => this.#lost())
  }

  /** Rejects with `store.failed`. */
  static async open(place: PostgresPlace, application: string): Promise<Session> {
    const socket = new Socket()
    const client = new Client({ ...clientConfig(place, application), stream: () => socket })
    client.setTypeParser(bigintType, Number)
    const session = new Session(client, socket, place)
    try {
      await client.connect()
      return session
    } catch (error) {
      session.drop()
      throw asStoreFailure(error, place)
    }
  }

  /** Called once when the connection breaks that nobody dropped. */
  onLost: (() => void) | undefined

  #lost(): void {
    if (this.#isBroken) return
    this.#isBroken = true
    this.onLost?.()
  }

  /** Whether nothing more can be asked of it. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** Runs one statement; with a name it is prepared once. Rejects with what `pg` says: see `wasRefused`. */
  async query<Row extends QueryResultRow>(text: string, values: unknown[] = [], name?: string): Promise<QueryResult<Row>> {
    try {
      return await this.#client.query<Row>({ text, values, ...(name === undefined ? {} : { name }) })
    } catch (error) {
      if (!wasRefused(error)) this.drop()
      throw error
    }
  }

  /** Waits until this connection is the only one that writes for `writer`: ends an earlier one, which may still be at work. */
  async own(writer: number): Promise<void> {
    for (let tries = 0; tries < lockTries; tries += 1) {
      const { rows } = await this.query<{ owned: boolean }>('select pg_try_advisory_lock($1, $2) as owned', [lockClass, writer])
      if (rows[0]?.owned === true) return
      await this.query(
        `select pg_terminate_backend(pid) from pg_locks
         where locktype = 'advisory' and classid::bigint = $1 and objid::bigint = $2 and granted and pid <> pg_backend_pid()
           and database = (select oid from pg_database where datname = current_database())`,
        [lockClass, writer],
      )
      await pause(lockPauseMs)
    }
    throw new TurnwardError('store.failed', { subject: shownPlace(this.#place), why: 'an earlier connection of this writer does not end' })
  }

  /** Cuts the connection without a word. */
  drop(): void {
    this.#isBroken = true
    this.#socket.destroy()
  }

  /** Says goodbye, and does not wait for an answer longer than a statement may take. */
  async end(): Promise<void> {
    const goodbye = this.#isBroken ? Promise.resolve() : this.#client.end().catch(() => {})
    await Promise.race([goodbye, pause(this.#place.statementTimeoutMs, undefined, { ref: false })])
    this.drop()
  }
}

/** Whether the server itself said no, so that nothing of the statement was done and the connection goes on. */
export function wasRefused(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && error.severity === 'ERROR'
}

/** Runs `work` on a connection of its own, for reading. Rejects with `store.failed`. */
export async function withSession<T>(place: PostgresPlace, application: string, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await Session.open(place, application)
  try {
    return await work(session)
  } catch (error) {
    throw asStoreFailure(error, place)
  } finally {
    await session.end()
  }
}
