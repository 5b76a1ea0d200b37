/** Takes JSON-RPC messages out of an answer of either media type. Bounded; never throws past `onData` and `onEnd`. */
import { asTurnwardError } from '../../core/error.ts'
import { parseExactJson } from '../../core/exact-json.ts'
import { notePassingBytes } from '../../core/garbage.ts'
import { SseFramer, type SseEvent } from '../../wire/framing/sse.ts'
import { readMessage, type RpcMessage } from '../codec/json-rpc.ts'
import { resultTooLarge, unavailable } from './failure.ts'
import type { BodyReader } from './http-answer.ts'
import type { StreamPlace } from './stream-place.ts'

/** Looks at a message; what it returns is what was looked for, and the rest of the answer does not matter. */
export type Take<T> = (message: RpcMessage) => T | undefined

export interface MessageReaderOptions<T> {
  readonly server: string
  readonly take: Take<T>
  /** Resolved with what was taken, or with undefined at the end of the answer. */
  readonly resolve: (taken: T | undefined) => void
  readonly reject: (error: Error) => void
  /** Keeps track of where an event stream stands. */
  readonly place: StreamPlace | undefined
}

abstract class MessageReader<T> implements BodyReader {
  readonly options: MessageReaderOptions<T>

  constructor(options: MessageReaderOptions<T>) {
    this.options = options
  }

  abstract onData(chunk: Buffer): boolean
  abstract onEnd(): void

  onError(error: Error): void {
    this.options.reject(error)
  }

  protected takeFrom(text: string): T | undefined {
    const { server, take } = this.options
    let value: unknown
    try {
      value = parseExactJson(text)
    } catch {
      throw unavailable(server, 'its answer is not JSON')
    }
    if (!Array.isArray(value)) return take(readMessage(value))
    // 2025-03-26 servers may answer with a batch.
    for (const item of value) {
      const taken = take(readMessage(item))
      if (taken !== undefined) return taken
    }
    return undefined
  }
}

/** An answer of type `application/json`, parsed at its end. */
export class JsonReader<T> extends MessageReader<T> {
  readonly #maxBytes: number
  readonly #announced: number | undefined
  readonly #parts: Buffer[] = []
  #size = 0

  /** `announced`: how long the answer is, where that is told before it comes. */
  constructor(options: MessageReaderOptions<T>, maxBytes: number, announced?: number) {
    super(options)
    this.#maxBytes = maxBytes
    this.#announced = announced
  }

  onData(chunk: Buffer): boolean {
    this.#size += chunk.length
    if (Math.max(this.#size, this.#announced ?? 0) > this.#maxBytes)
      throw resultTooLarge(this.options.server, this.#maxBytes, this.#announced)
    this.#parts.push(chunk)
    return false
  }

  onEnd(): void {
    notePassingBytes(2 * this.#size)
    const [first] = this.#parts
    const bytes = first !== undefined && this.#parts.length === 1 ? first : Buffer.concat(this.#parts, this.#size)
    this.options.resolve(this.takeFrom(bytes.toString('utf8')))
  }
}

/** An event stream. A listening stream lives for days, so only its single events are bounded. */
export class EventReader<T> extends MessageReader<T> {
  readonly #events: SseFramer
  readonly #maxEventBytes: number
  #taken: T | undefined

  constructor(options: MessageReaderOptions<T>, maxEventBytes: number) {
    super(options)
    this.#maxEventBytes = maxEventBytes
    this.#events = new SseFramer(maxEventBytes)
  }

  onData(chunk: Buffer): boolean {
    try {
      this.#events.push(chunk, this.#onEvent)
    } catch (error) {
      // The framer says so of an event that grows beyond its bound.
      throw asTurnwardError(error).code === 'upstream.malformed' ? resultTooLarge(this.options.server, this.#maxEventBytes) : error
    }
    if (this.#taken === undefined) return false
    this.options.resolve(this.#taken)
    return true
  }

  onEnd(): void {
    this.options.resolve(undefined)
  }

  // Servers open a stream they can resume with an event without data, and keep others alive with blank ones.
  #onEvent = ({ data, raw }: SseEvent): void => {
    if (this.#taken !== undefined) return
    if (data !== undefined && data.trim() !== '') this.#taken = this.takeFrom(data)
    if (this.#taken === undefined) this.options.place?.note(raw)
  }
}
