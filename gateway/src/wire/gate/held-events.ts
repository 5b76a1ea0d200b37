/** Events that wait for a decision, in order and bounded. */
import { malformed } from '../request/fields.ts'
import type { StreamEvent } from './stream-lens.ts'

/** Held events together may be this many times as large as one event may be. */
const heldEventsFactor = 16

export class HeldEvents {
  readonly #maxBytes: number
  #events: StreamEvent[] = []
  #size = 0

  constructor(maxEventBytes: number) {
    this.#maxBytes = maxEventBytes * heldEventsFactor
  }

  get isEmpty(): boolean {
    return this.#events.length === 0
  }

  /** Throws `upstream.malformed` when the message grows beyond every bound. */
  add(event: StreamEvent): void {
    this.#size += event.raw.length
    if (this.#size > this.#maxBytes) throw malformed(`the tool calls of its stream are larger than ${this.#maxBytes} bytes`)
    this.#events.push(event)
  }

  /** All events; none are held afterwards. */
  take(): readonly StreamEvent[] {
    const events = this.#events
    this.#events = []
    this.#size = 0
    return events
  }
}
