/**
 * What people may ask of the decision log while calls go on: read by a thread that is there while somebody asks, and a bounded
 * number of questions at a time.
 */
import { Worker } from 'node:worker_threads'
import { TurnwardError } from '../../core/error.ts'
import { workerFile } from '../../store/worker-file.ts'
import type { CountedRecords } from '../../store/summaries/summaries.ts'
import type { ReadingPlace } from '../log-place.ts'
import type { FoundRecords, RecordSearch } from './record-search.ts'
import type { Reading, ReadingAsk, ReadingReply, Readings, ReadingThreadData, TurnOnRecord } from './reading-protocol.ts'

/** Every call rejects with `store.failed` when the log cannot be read, with `audit.busy` when too many read it. */
export interface LogReading {
  /** `principal`: only what was done for them. Undefined when nothing is on record. */
  turn(turn: string, principal?: string): Promise<TurnOnRecord | undefined>
  /** Records that match, the newest first. */
  find(search: RecordSearch): Promise<FoundRecords>
}

const mostWaiting = 32
const usualIdleMs = 60_000

interface Waiting {
  readonly resolve: (answered: Readings[Reading]['answered']) => void
  readonly reject: (error: TurnwardError) => void
}

export class LogReadingThread implements LogReading {
  readonly place: ReadingPlace
  readonly #idleMs: number
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #idle: NodeJS.Timeout | undefined
  #lastId = 0
  #isClosed = false

  /** `idleMs`: how long the thread stays when nobody asks. */
  constructor(place: ReadingPlace, idleMs = usualIdleMs) {
    this.place = place
    this.#idleMs = idleMs
  }

  turn(turn: string, principal?: string): Promise<TurnOnRecord | undefined> {
    return this.#ask('turn', { turn, principal })
  }

  find(search: RecordSearch): Promise<FoundRecords> {
    return this.#ask('find', search)
  }

  /** What the next records come to that no summary has counted. */
  count(positions: ReadonlyMap<string, number>): Promise<readonly CountedRecords[]> {
    return this.#ask('count', positions)
  }

  /** Ends the thread; whoever still waits is refused. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#letGo('the gateway stops')
  }

  #ask<What extends Reading>(what: What, asked: Readings[What]['asked']): Promise<Readings[What]['answered']> {
    if (this.#isClosed) return Promise.reject(new TurnwardError('store.failed', { why: 'the gateway stops' }))
    if (this.#waiting.size >= mostWaiting)
      return Promise.reject(new TurnwardError('audit.busy', { why: `${mostWaiting} questions wait`, retryAfterSeconds: 1 }))
    clearTimeout(this.#idle)
    const worker = (this.#worker ??= this.#start())
    const ask: ReadingAsk = { id: ++this.#lastId, what, asked }
    return new Promise((resolve, reject) => {
      this.#waiting.set(ask.id, { resolve, reject })
      worker.ref()
      worker.postMessage(ask)
    })
  }

  #start(): Worker {
    const worker = new Worker(workerFile(import.meta.url, 'reading-worker'), {
      workerData: { place: this.place } satisfies ReadingThreadData,
      name: 'turnward-reading',
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
      execArgv: [],
    })
    worker.on('message', (reply: ReadingReply) => this.#settle(reply))
    worker.on('error', (error) => this.#lost(worker, error))
    worker.on('exit', () => this.#lost(worker, undefined))
    return worker
  }

  #settle(reply: ReadingReply): void {
    const waiting = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if (this.#waiting.size === 0) {
      this.#worker?.unref()
      // Nobody waits, so nobody is refused.
      this.#idle = setTimeout(() => this.#letGo('nobody asks'), this.#idleMs).unref()
    }
    if ('error' in reply) {
      const { code, ...parts } = reply.error
      waiting?.reject(new TurnwardError(code, parts))
    } else waiting?.resolve(reply.answered)
  }

  #letGo(why: string): Promise<unknown> {
    clearTimeout(this.#idle)
    const worker = this.#worker
    this.#worker = undefined
    this.#rejectAll(why, undefined)
    return worker?.terminate() ?? Promise.resolve()
  }

  #lost(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#rejectAll('the thread that reads it has stopped', cause)
  }

  #rejectAll(why: string, cause: unknown): void {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(new TurnwardError('store.failed', { subject: 'decision log', why, cause }))
  }
}
