/** Takes JSON-RPC messages out of an answer of either media type. Bounded; never throws past `onData` and `onEnd`. */
import { systemClock } from '../../core/clock.ts'
import { asTurnwardError } from '../../core/error.ts'
import { parseExactJson } from '../../core/exact-json.ts'
import { notePassingBytes } from '../../core/garbage.ts'
import { SseFramer, type SseEvent } from '../../wire/framing/sse.ts'
import { namesMethod } from '../codec/answered-id.ts'
import { readMessage, type RpcMessage } from '../codec/json-rpc.ts'
import { largeMessageBytes } from '../large/large-messages.ts'
import { ReadingPace } from '../pace.ts'
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
  /** Reads a large response elsewhere; absent: it is read here. */
  readonly readLarge?: ((message: Buffer | string) => Promise<RpcMessage>) | undefined
  /** Reads nothing more of it for so many milliseconds. */
  readonly rest?: (ms: number) => void
  /** Leaves what is left of the answer unread. */
  readonly discard?: () => void
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
    const { readLarge, resolve, reject, take } = this.options
    if (readLarge !== undefined && this.#size > largeMessageBytes) {
      readLarge(bytes).then((message) => resolve(take(message)), reject)
      return
    }
    this.options.resolve(this.takeFrom(bytes.toString('utf8')))
  }
}

/** Events after a large response; of what comes after it, nothing matters. */
const mostBehind = 64

/** An event stream. A listening stream lives for days, so only its single events are bounded. */
export class EventReader<T> extends MessageReader<T> {
  readonly #events: SseFramer
  readonly #maxEventBytes: number
  readonly #pace: ReadingPace
  #taken: T | undefined
  /** Events that came while a large one is being read. */
  #behind: SseEvent[] | undefined
  #hasEnded = false

  constructor(options: MessageReaderOptions<T>, maxEventBytes: number) {
    super(options)
    this.#maxEventBytes = maxEventBytes
    this.#pace = new ReadingPace(systemClock)
    this.#events = new SseFramer(maxEventBytes)
  }

  onData(chunk: Buffer): boolean {
    try {
      this.#events.push(chunk, this.#onEvent)
    } catch (error) {
      // The framer says so of an event that grows beyond its bound.
      throw asTurnwardError(error).code === 'upstream.malformed' ? resultTooLarge(this.options.server, this.#maxEventBytes) : error
    }
    const restMs = this.#pace.takeRest()
    if (restMs !== undefined) this.options.rest?.(restMs)
    if (this.#taken === undefined) return false
    this.options.resolve(this.#taken)
    return true
  }

  onEnd(): void {
    if (this.#behind === undefined) this.options.resolve(undefined)
    else this.#hasEnded = true
  }

  // Servers open a stream they can resume with an event without data, and keep others alive with blank ones.
  #onEvent = (event: SseEvent): void => {
    if (this.#taken !== undefined) return
    if (this.#behind !== undefined) {
      if (this.#behind.length < mostBehind) this.#behind.push(event)
      return
    }
    const { data, raw } = event
    const { readLarge, place } = this.options
    if (data !== undefined && readLarge !== undefined && isLargeResponse(event)) {
      this.#behind = []
      readLarge(data).then(this.#afterLarge, this.options.reject)
      return
    }
    if (data !== undefined && data.trim() !== '') this.#taken = this.takeFrom(data)
    if (this.#taken !== undefined) return
    this.#pace.note()
    place?.note(raw)
  }

  #afterLarge = (message: RpcMessage): void => {
    const { take, resolve, reject, discard } = this.options
    const behind = this.#behind ?? []
    this.#behind = undefined
    try {
      this.#taken = take(message)
      for (const event of behind) this.#onEvent(event)
    } catch (error) {
      reject(asTurnwardError(error))
    }
    if (this.#taken !== undefined || this.#hasEnded) resolve(this.#taken)
    if (this.#taken !== undefined) discard?.()
  }
}

/** Whether the event is large and answers something. */
function isLargeResponse({ data, raw }: SseEvent): boolean {
  return data !== undefined && raw.length > largeMessageBytes && !namesMethod(Buffer.from(data.slice(0, 4096)))
}
