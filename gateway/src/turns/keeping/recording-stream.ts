/**
 * Takes the streamed answer of a call that is made in the background, and makes its events those of the answer that is kept.
 * It has no end of its own: how it ended is what is kept (`answering-later.ts`).
 */
import type { OutgoingHttpHeaders } from 'node:http'
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import type { Dialect } from '../../wire/dialect.ts'
import { SseFramer, type SseEvent } from '../../wire/framing/sse.ts'
import type { KeptStreams } from '../../wire/kept-answers.ts'
import type { Outlet } from '../origins/call-origin.ts'
import { failureIn, type Failure } from './answer-failure.ts'
import type { LiveStream } from './live-stream.ts'

export interface StreamRecorderOptions {
  readonly dialect: Dialect
  readonly streams: KeptStreams
  readonly live: LiveStream
  /** Largest event; those that come are bounded by what lets them out. */
  readonly maxBytes: number
  readonly cancel: (error: TurnwardError) => void
}

export class StreamRecorder implements Outlet {
  readonly #options: StreamRecorderOptions
  readonly #framer: SseFramer
  readonly #draining = new Set<() => void>()
  #wasFull = false
  /** Of an answer that is no stream, which says what failed. */
  #body: Buffer[] | undefined
  hasBegun = false
  isOpen = true
  /** What the answer failed of, as far as it says so itself. */
  failure: Failure | undefined

  constructor(options: StreamRecorderOptions) {
    this.#options = options
    this.#framer = new SseFramer(options.maxBytes)
    options.live.listen(this.#onKept)
  }

  get isFull(): boolean {
    const { isFull } = this.#options.live
    this.#wasFull ||= isFull
    return isFull
  }

  head(_status: number, headers: OutgoingHttpHeaders): void {
    this.hasBegun = true
    if (!String(headers['content-type'] ?? '').startsWith('text/event-stream')) this.#body = []
  }

  write(bytes: Uint8Array | string): void {
    if (!this.isOpen) return
    const chunk = Buffer.from(bytes as Uint8Array)
    if (this.#body === undefined) this.#framer.push(chunk, this.#onEvent)
    else this.#body.push(chunk)
  }

  end(bytes?: Uint8Array | string): void {
    if (bytes !== undefined) this.write(bytes)
    if (!this.isOpen) return
    this.isOpen = false
    if (this.#body === undefined) this.#framer.end(this.#onEvent)
    else this.failure = failureIn(this.#options.dialect, this.#object(Buffer.concat(this.#body).toString('utf8')) ?? {}, '')
  }

  onDrain(listener: () => void): void {
    this.#draining.add(listener)
  }

  offDrain(listener: () => void): void {
    this.#draining.delete(listener)
  }

  destroy(): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.#options.cancel(new TurnwardError('request.cancelled'))
  }

  #onKept = (): void => {
    if (!this.#wasFull || this.#options.live.isFull) return
    this.#wasFull = false
    for (const listener of this.#draining) listener()
  }

  #onEvent = ({ event, data }: SseEvent): void => {
    const payload = data === undefined || data.trim() === '' ? undefined : this.#object(data)
    // Comments are for a connection, and the word that ends streams of other dialects for nobody here.
    if (payload === undefined) return
    const { dialect, streams, live } = this.#options
    const type = typeof payload.type === 'string' ? payload.type : (event ?? '')
    const failure = failureIn(dialect, payload, type)
    if (failure !== undefined) this.failure ??= failure
    else if (!streams.isOfWhole(type)) live.append(streams.text({ ...payload, type }, live.count))
  }

  #object(text: string): JsonObject | undefined {
    try {
      const value = parseJson(text)
      return isObject(value) ? value : undefined
    } catch {
      return undefined
    }
  }
}
