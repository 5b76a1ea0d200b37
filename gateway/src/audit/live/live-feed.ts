/**
 * The decision log as it is written, for people: read up from the log by a thread that is there while somebody listens, so that calls
 * pay nothing for it. A bounded number of listeners, and one text for each under way.
 */
import { Worker } from 'node:worker_threads'
import { TurnwardError } from '../../core/error.ts'
import { workerFile } from '../../store/worker-file.ts'
import type { ReadingPlace } from '../log-place.ts'
import type { Followed, FromLiveThread, LiveThreadData, ToLiveThread } from './live-protocol.ts'

/** Where a listener is reached. */
export interface LiveOutlet {
  /** Takes whole server-sent events; `taken` is called when there is room for more. */
  write(text: string, taken: () => void): void
  /** Nothing more comes. */
  end(error: TurnwardError): void
}

export interface LiveFeed {
  /**
   * Resolves when the first text is with the outlet, with what ends listening. Rejects with `audit.busy` when too many listen, or too many for
   * this person; with `store.failed`, `gateway.draining`.
   */
  listen(person: string, followed: Followed, outlet: LiveOutlet): Promise<() => void>
}

/** In this process, and of them for one person. */
export const mostListeners = 64
export const mostOfPerson = 8
const usualIdleMs = 10_000

interface Listener {
  readonly person: string
  readonly outlet: LiveOutlet
  /** Undefined once it has begun. */
  begun: { readonly resolve: () => void; readonly reject: (error: TurnwardError) => void } | undefined
}

export class LiveFeedThread implements LiveFeed {
  readonly #place: ReadingPlace
  readonly #idleMs: number
  readonly #listeners = new Map<number, Listener>()
  #worker: Worker | undefined
  #idle: NodeJS.Timeout | undefined
  #lastId = 0
  #isClosed = false

  /** `idleMs`: how long the thread stays when nobody listens. */
  constructor(place: ReadingPlace, idleMs = usualIdleMs) {
    this.#place = place
    this.#idleMs = idleMs
  }

  get size(): number {
    return this.#listeners.size
  }

  async listen(person: string, followed: Followed, outlet: LiveOutlet): Promise<() => void> {
    if (this.#isClosed) throw new TurnwardError('gateway.draining', { retryAfterSeconds: 1 })
    const own = [...this.#listeners.values()].filter((listener) => listener.person === person).length
    if (this.#listeners.size >= mostListeners || own >= mostOfPerson)
      throw new TurnwardError('audit.busy', {
        why: own >= mostOfPerson ? `${person} follows it ${own} times` : `${mostListeners} follow it`,
        retryAfterSeconds: 5,
      })
    clearTimeout(this.#idle)
    this.#worker ??= this.#start()
    const id = ++this.#lastId
    const begun = Promise.withResolvers<void>()
    this.#listeners.set(id, { person, outlet, begun })
    this.#send({ type: 'join', listener: id, followed })
    await begun.promise
    return () => this.#leave(id)
  }

  /** Ends everybody, and the thread. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#idle)
    const worker = this.#worker
    this.#worker = undefined
    this.#end([...this.#listeners.keys()], new TurnwardError('gateway.draining', { retryAfterSeconds: 1 }))
    await worker?.terminate()
  }

  #start(): Worker {
    const worker = new Worker(workerFile(import.meta.url, 'live-worker'), {
      workerData: { place: this.#place } satisfies LiveThreadData,
      name: 'turnward-live',
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
      execArgv: [],
    })
    worker.unref()
    worker.on('message', (message: FromLiveThread) => this.#take(message))
    worker.on('error', (cause) => this.#lost(worker, cause))
    worker.on('exit', () => this.#lost(worker, undefined))
    return worker
  }

  #send(message: ToLiveThread): void {
    this.#worker?.postMessage(message)
  }

  #take(message: FromLiveThread): void {
    if (message.type === 'failed') {
      const { code, ...parts } = message.error
      this.#end(message.listeners, new TurnwardError(code, { ...parts, retryAfterSeconds: 1 }))
      return
    }
    const { listener: id, text } = message
    const listener = this.#listeners.get(id)
    listener?.outlet.write(text, () => this.#send({ type: 'ready', listener: id }))
    listener?.begun?.resolve()
    if (listener !== undefined) listener.begun = undefined
  }

  #leave(id: number): void {
    if (!this.#listeners.delete(id)) return
    this.#send({ type: 'leave', listener: id })
    if (this.#listeners.size > 0) return
    this.#idle = setTimeout(() => {
      const worker = this.#worker
      this.#worker = undefined
      worker?.terminate().catch(() => {})
    }, this.#idleMs).unref()
  }

  #lost(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    const why = 'the thread that reads it has stopped'
    this.#end([...this.#listeners.keys()], new TurnwardError('store.failed', { subject: 'decision log', why, cause }))
  }

  #end(ids: readonly number[], error: TurnwardError): void {
    for (const id of ids) {
      const listener = this.#listeners.get(id)
      if (listener === undefined) continue
      this.#leave(id)
      if (listener.begun === undefined) listener.outlet.end(error)
      else listener.begun.reject(error)
    }
  }
}
