/**
 * Stands between an upstream's event stream and the client: text passes at once, byte for byte; from the first tool call
 * on, calls and the end of the message wait for a decision. No fragment of an undecided call ever reaches the client. One
 * gate serves one client response, across as many upstream rounds as denial splicing needs, whatever its dialect.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import type { WrittenArguments } from '../dialect.ts'
import { asBuffer, type SseEvent, SseFramer } from '../framing/sse.ts'
import { malformed } from '../request/fields.ts'
import { type ByteSink, GateOutput } from './gate-output.ts'
import { HeldEvents } from './held-events.ts'
import { errorReason, isLineEnd, readPayload, wholeEvent } from './stream-events.ts'
import type { GateRound, GateWays, StreamEvent, StreamLens } from './stream-lens.ts'
import { TextEvents } from './text-events.ts'

export interface GateOptions {
  /** The largest event an upstream may send; held events together may be 16 times as large. */
  readonly maxEventBytes: number
  /** Asked when the end of a message without calls arrives: whether it is held, because something is to be added to it. */
  readonly holdsEnd?: () => boolean
}

/** An error that the upstream told of inside its stream. The client has not seen it. */
export interface StreamError {
  readonly raw: Buffer
  /** What stands in the event as the error. */
  readonly error: JsonValue
  /** In the upstream's words, bounded. */
  readonly reason: string
}

const mostEarlyBytes = 16 * 1024

const asMade: WrittenArguments = new Map()

export class StreamGate implements GateWays {
  readonly #lens: StreamLens
  readonly #output: GateOutput
  readonly #maxEventBytes: number
  #framer: SseFramer
  readonly #texts: TextEvents
  readonly #held: HeldEvents
  readonly #holdsEnd: () => boolean
  /** Comments before the first event: until something is said, the upstream may still fail into a real status. */
  #early: Buffer[] | undefined = []
  #earlyBytes = 0
  /** Set once the upstream has told of an error: nothing after it can matter, so the round may be ended. */
  error: StreamError | undefined

  constructor(lens: StreamLens, sink: ByteSink, options: GateOptions) {
    this.#lens = lens
    this.#output = new GateOutput(sink)
    this.#maxEventBytes = options.maxEventBytes
    this.#framer = new SseFramer(options.maxEventBytes)
    this.#texts = new TextEvents(options.maxEventBytes)
    this.#held = new HeldEvents(options.maxEventBytes)
    this.#holdsEnd = options.holdsEnd ?? (() => false)
  }

  /** True while events are held (keep-alive comments are due). */
  get isHolding(): boolean {
    return !this.#held.isEmpty
  }

  /** Whether this round shows, so far, that a tool of the vendor's has run. */
  get vendorRan(): boolean {
    return this.#lens.vendorRan === true
  }

  /** Text delivered to the client over all rounds (and, until it is decided, what is held). */
  get deliveredText(): string {
    return this.#lens.deliveredText
  }

  /** Feeds upstream bytes (any chunking). Throws `upstream.malformed` on an event over the size limit or invalid JSON. */
  push(chunk: Uint8Array): void {
    const bytes = asBuffer(chunk)
    try {
      for (let at = 0; at < bytes.length && this.error === undefined;) {
        const known = this.#framer.isBetweenEvents && !this.isHolding ? this.#texts.take(bytes, at) : at
        if (known > at) this.#output.raw(bytes.subarray(at, known))
        at = known < bytes.length ? this.#framer.pushOne(bytes, known, this.#onEvent) : known
      }
    } finally {
      this.#output.flush()
    }
  }

  /**
   * The upstream round ended; returns what it came to. `isProper`: its body ended as HTTP ends it. Nothing of the end of
   * the message has been written yet if calls are held.
   */
  endRound(isProper: boolean): GateRound {
    this.#framer.end(this.#onEvent)
    if (this.error === undefined) this.#lens.readEnd(isProper, this)
    this.#output.flush()
    return this.#lens.round()
  }

  /**
   * Releases the held round: calls in `allowed` go out, others are dropped, then the end of the message. All allowed: the original
   * bytes, but for the calls in `args`, which are made with what is written there.
   */
  release(allowed: ReadonlySet<string>, args: WrittenArguments = asMade): void {
    this.#lens.beginRelease(allowed, args)
    for (const held of this.#held.take()) {
      const event = this.#lens.release(held)
      if (event !== undefined) this.pass(event)
    }
    this.#output.flush()
  }

  /** The client's message as a whole one, once these calls are released or it was closed; undefined in a dialect that keeps none. */
  released(allowed: ReadonlySet<string>, args: WrittenArguments = asMade): JsonObject | undefined {
    return this.#lens.released?.(allowed, args)
  }

  /** Adds text to the end of a round whose end is held and that has no calls; it is released afterwards. */
  addText(text: string): void {
    this.#output.text(this.#lens.addText(text))
    this.#output.flush()
  }

  /** Discards the held end and calls of this round and prepares for another one in the same client message. Returns the round for the history. */
  nextRound(): JsonObject {
    this.#held.take()
    this.#texts.forget()
    return this.#lens.nextRound()
  }

  /**
   * Ends the client's message without calls: the events that say `text` (if any), then a normal stop. They are not written here. `used`:
   * of a message that is broken off because it has become too long, which then ends as such.
   */
  close(text: string, used?: UsageRecord): string {
    this.#held.take()
    this.#texts.forget()
    return this.#lens.close(text, used)
  }

  /** As `told` of a lens. */
  told(): number | undefined {
    return this.#lens.told()
  }

  /** Nothing of this round was shown, and it will not be: another upstream is asked for it. */
  restart(): void {
    // What was torn when it failed is no part of what comes next.
    this.#framer = new SseFramer(this.#maxEventBytes)
    this.#held.take()
    this.#texts.forget()
    this.#lens.dropRound()
    this.#early = []
    this.#earlyBytes = 0
    this.error = undefined
  }

  holdsEnd(): boolean {
    return this.#holdsEnd()
  }

  pass({ raw, payload, isEdited }: StreamEvent): void {
    if (this.#early !== undefined) this.#passEarly()
    if (isEdited && payload !== undefined) this.#output.text(this.#lens.write(payload))
    else this.#output.raw(raw)
  }

  hold(event: StreamEvent): void {
    this.#held.add(event)
  }

  learn(
    { raw, payload }: StreamEvent,
    words: string,
    put: (payload: JsonObject, words: string) => void,
    onText: (text: string) => void,
  ): void {
    if (payload !== undefined) this.#texts.learn(raw, payload, words, put, onText)
  }

  #onEvent = (event: SseEvent): void => {
    const data = event.data?.trim()
    if (event.isForeign) {
      if (event.isTerminated) throw malformed('it is not an event stream')
    } else if (data === undefined || data === '') {
      // A torn rest without data says nothing, and would swallow whatever is written after it.
      if (event.isTerminated || isLineEnd(event.raw)) this.#passComment(event.raw)
    } else if (data === '[DONE]') {
      // Of one dialect only, but some upstreams end every stream with it.
      this.#lens.read({ raw: wholeEvent(event), payload: undefined, isEdited: false }, '', this)
    } else {
      const payload = readPayload(event, data)
      if (payload !== undefined) this.#onPayload(payload, event.event ?? '', wholeEvent(event))
    }
  }

  #onPayload(payload: JsonObject, type: string, raw: Buffer): void {
    const error = this.#lens.errorIn(payload, type)
    if (error === undefined) this.#lens.read({ raw, payload, isEdited: false }, type, this)
    else this.error ??= { raw, error, reason: errorReason(error) }
  }

  #passComment(raw: Buffer): void {
    if (this.#early === undefined) {
      this.#output.raw(raw)
      return
    }
    this.#early.push(raw)
    this.#earlyBytes += raw.length
    if (this.#earlyBytes > mostEarlyBytes) this.#passEarly()
  }

  /** Comments that wait for a first event go out without it: an upstream that is only quiet must not look like one that is gone. */
  passComments(): void {
    if (this.#early === undefined || this.#early.length === 0) return
    this.#passEarly()
    this.#output.flush()
  }

  #passEarly(): void {
    const early = this.#early ?? []
    this.#early = undefined
    for (const raw of early) this.#output.raw(raw)
  }
}
