/**
 * Kysely's SQLite dialect over the database thread. One connection: statements queue in the thread, and a
 * transaction holds the connection to itself, so that no other statement slips into it.
 */
import type { SQLInputValue } from 'node:sqlite'
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
} from 'kysely'
import { TurnwardError } from '../core/error.ts'
import type { SqliteThread } from './sqlite-thread.ts'

export class WorkerSqliteDialect implements Dialect {
  readonly #thread: SqliteThread

  constructor(thread: SqliteThread) {
    this.#thread = thread
  }

  createDriver(): Driver {
    return new WorkerDriver(this.#thread)
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler()
  }

  createAdapter(): DialectAdapter {
    return new TransactionalSqliteAdapter()
  }

  // The parameter type is Kysely's own: a database without a known schema.
  createIntrospector(database: Parameters<Dialect['createIntrospector']>[0]): DatabaseIntrospector {
    return new SqliteIntrospector(database as Kysely<unknown>)
  }
}

/** SQLite can roll DDL back; with this Kysely runs all migrations in one transaction, and a crash leaves none or all. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class WorkerDriver implements Driver {
  readonly #thread: SqliteThread
  readonly #connection: WorkerConnection
  #release: (() => void) | undefined

  constructor(thread: SqliteThread) {
    this.#thread = thread
    this.#connection = new WorkerConnection(thread)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    this.#release = await this.#thread.acquire()
    return this.#connection
  }

  async releaseConnection(): Promise<void> {
    this.#connection.endTransaction()
    this.#release?.()
  }

  async beginTransaction(): Promise<void> {
    // Immediate: a transaction that reads before it writes must not find out half-way that another process wrote.
    await this.#connection.executeQuery(CompiledQuery.raw('begin immediate'))
    this.#connection.startTransaction()
  }

  async commitTransaction(): Promise<void> {
    await this.#connection.executeQuery(CompiledQuery.raw('commit'))
  }

  async rollbackTransaction(): Promise<void> {
    await this.#connection.executeQuery(CompiledQuery.raw('rollback'))
  }

  async destroy(): Promise<void> {
    await this.#thread.close()
  }
}

class WorkerConnection implements DatabaseConnection {
  readonly #thread: SqliteThread
  #transactionOf: number | undefined

  constructor(thread: SqliteThread) {
    this.#thread = thread
  }

  startTransaction(): void {
    this.#transactionOf = this.#thread.generation
  }

  endTransaction(): void {
    this.#transactionOf = undefined
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    if (this.#transactionOf !== undefined && this.#transactionOf !== this.#thread.generation) {
      throw new TurnwardError('store.failed', { why: 'the database thread stopped in the middle of a transaction' })
    }
    const result = await this.#thread.run(query.sql, query.parameters as readonly SQLInputValue[])
    if ('rows' in result) return { rows: result.rows as R[] }
    return { rows: [], numAffectedRows: BigInt(result.changes), insertId: BigInt(result.lastInsertRowid) }
  }

  // oxlint-disable-next-line require-yield
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new TurnwardError('store.failed', { why: 'streaming is not offered: read in pages' })
  }
}
