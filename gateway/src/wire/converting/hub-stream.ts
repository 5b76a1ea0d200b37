/** One stream on its way from a dialect to another: an event is read, becomes neutral events, and is written, at once. */
import { TurnwardError } from '../../core/error.ts'
import { type FramedEvent, type HubEvent, malformedMessage, type StreamReader, type StreamWriter } from '../hub/events.ts'

/** Converts one upstream stream for one client response. */
export interface StreamConverter {
  /** SSE text in the client's dialect for this event; `''` when it has none. */
  push(event: FramedEvent): string
  /** The upstream closed: what is still to be said. Nothing for a stream that was cut off: it simply has no end, which whoever relays it must notice. */
  end(): string
}

/** After an end or an error nothing more is said, whatever comes. */
export class HubStream implements StreamConverter {
  readonly #reader: StreamReader
  readonly #writer: StreamWriter
  #isOver = false

  constructor(readerFor: (emit: (event: HubEvent) => void) => StreamReader, writer: StreamWriter) {
    this.#writer = writer
    this.#reader = readerFor((event) => this.#emit(event))
  }

  push(event: FramedEvent): string {
    try {
      if (!this.#isOver) this.#reader.read(event)
    } catch (error) {
      this.#fail(error)
    }
    return this.#writer.take()
  }

  end(): string {
    try {
      if (!this.#isOver) this.#reader.end()
    } catch (error) {
      this.#fail(error)
    }
    return this.#writer.take()
  }

  #emit(event: HubEvent): void {
    if (this.#isOver) return
    this.#isOver = event.kind === 'end' || event.kind === 'error'
    this.#writer.write(event)
  }

  /** What is not the upstream's dialect ends the stream with an error, as the upstream's own errors do. */
  #fail(error: unknown): void {
    if (!(error instanceof TurnwardError)) throw error
    const message = error.why === undefined ? malformedMessage : `${malformedMessage.slice(0, -1)}: ${error.why}.`
    this.#emit({ kind: 'error', error: { type: 'api_error', message } })
  }
}
