/**
 * The near side of the database thread: sends statements and batches of writes, matches replies, and starts a new thread when one died.
 * Never retries a statement: whether it ran is not known, and the caller decides.
 */
import { Worker } from 'node:worker_threads'
import type { SQLInputValue } from 'node:sqlite'
import { TurnwardError } from '../core/error.ts'
import { workerFile } from './worker-file.ts'
import type { SqliteBatch, SqliteReply, SqliteRequest, SqliteWorkerData, SqliteWrite } from './sqlite-protocol.ts'

export type SqliteResult = Exclude<SqliteReply, { readonly error: string }>

interface Waiting {
  readonly resolve: (reply: SqliteResult) => void
  readonly reject: (error: TurnwardError) => void
}

export class SqliteThread {
  readonly #data: SqliteWorkerData
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #closed = false
  #nextId = 1
  /** Resolves when whoever holds the connection gives it back. */
  #free: Promise<void> | undefined
  /** Counts threads: a transaction begun on one must not go on in the next. */
  generation = 0

  constructor(data: SqliteWorkerData) {
    this.#data = data
  }

  /**
   * Resolves when the connection is the caller's alone, with the way to give it back. Whoever sends statements that
   * belong together holds it; `run` does not ask.
   */
  async acquire(): Promise<() => void> {
    const before = this.#free
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#free = promise
    await before
    return () => {
      if (this.#free === promise) this.#free = undefined
      resolve()
    }
  }

  /** Runs one statement. Rejects with `store.failed`. */
  run(sql: string, parameters: readonly SQLInputValue[]): Promise<SqliteResult> {
    return this.#ask({ id: this.#nextId++, sql, parameters })
  }

  /** Writes all or nothing, in one message and one transaction. Rejects with `store.failed`. */
  async write(writes: readonly SqliteWrite[]): Promise<void> {
    if (this.#free !== undefined) {
      // Somebody else's transaction must not swallow these writes. Once sent they need no protection: the thread works in order.
      const release = await this.acquire()
      release()
    }
    await this.#ask({ id: this.#nextId++, writes })
  }

  /** Waits for statements in flight, then closes the database. */
  async close(): Promise<void> {
    this.#closed = true
    const worker = this.#worker
    if (worker === undefined) return
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    worker.ref()
    worker.postMessage('close')
    await exited
  }

  #ask(request: SqliteRequest | SqliteBatch): Promise<SqliteResult> {
    if (this.#closed) return Promise.reject(new TurnwardError('store.failed', { why: 'the store is closed' }))
    const worker = (this.#worker ??= this.#start())
    return new Promise((resolve, reject) => {
      worker.postMessage(request)
      this.#waiting.set(request.id, { resolve, reject })
      // Work in flight keeps the process alive; an idle store does not.
      worker.ref()
    })
  }

  #start(): Worker {
    // No `execArgv` of the process: flags meant for its main module (`--eval`, `--input-type`) would stop the thread.
    const worker = new Worker(workerFile(import.meta.url, 'sqlite-worker'), {
      workerData: this.#data,
      name: 'turnward-store',
      resourceLimits: { maxYoungGenerationSizeMb: 6 },
      execArgv: [],
    })
    this.generation += 1
    worker.on('message', (reply: SqliteReply) => this.#settle(reply))
    worker.on('error', (error) => this.#lost(worker, error))
    worker.on('exit', () => this.#lost(worker, undefined))
    worker.unref()
    return worker
  }

  #settle(reply: SqliteReply): void {
    const waiting = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if (this.#waiting.size === 0) this.#worker?.unref()
    if (waiting === undefined) return
    if ('error' in reply) waiting.reject(new TurnwardError('store.failed', { why: reply.error }))
    else waiting.resolve(reply)
  }

  #lost(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const one of waiting) one.reject(new TurnwardError('store.failed', { why: 'the database thread stopped', cause }))
  }
}
