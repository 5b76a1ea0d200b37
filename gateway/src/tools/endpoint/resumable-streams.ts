/**
 * The streams of requests of legacy sessions, remembered while they run and for a while after, so that a client that lost its
 * connection has the rest of one (2025-11-25, transports, "Resumability and Redelivery"). In this process only, and bounded:
 * whoever comes back elsewhere, or too late, makes its request again.
 */
import type { ServerResponse } from 'node:http'
import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'
import { randomText } from '../../core/ids.ts'

export const eventStreamHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const

const lifetimeMs = 60_000
const mostStreams = 4096
/** What is remembered of all streams, and of one, in characters. */
const mostOfAll = 64 * 1024 * 1024
const mostOfOne = 4 * 1024 * 1024

export class ResumableStreams {
  readonly #clock: Clock
  readonly #streams: BoundedMap<string, ResumableStream>

  constructor(clock: Clock) {
    this.#clock = clock
    this.#streams = new BoundedMap({ most: mostStreams, maxBytes: mostOfAll, dropped: (_id, stream) => stream.forget() })
  }

  /** A new stream of a session. */
  begin(session: string): ResumableStream {
    const id = randomText(16)
    const note = (stream: ResumableStream, ms: number): void =>
      this.#streams.set(id, stream, { size: stream.size, expires: this.#clock.now() + ms })
    const stream = new ResumableStream(session, id, note)
    return stream
  }

  /** The stream an event belongs to, and the number of the next one; undefined when it is not known here, or of another session. */
  find(session: string, eventId: string): { readonly stream: ResumableStream; readonly from: number } | undefined {
    const end = eventId.lastIndexOf('_')
    const number = Number(eventId.slice(end + 1))
    const stream = this.#streams.get(eventId.slice(0, Math.max(0, end)), this.#clock.now())
    if (stream === undefined || stream.session !== session || !Number.isSafeInteger(number) || number < 0) return undefined
    return { stream, from: number + 1 }
  }
}

/** A request runs at most as long as its deadline and the time people take; nobody remembers its stream longer. */
const longestMs = 15 * 60_000

export class ResumableStream {
  readonly session: string
  readonly #id: string
  readonly #note: (stream: ResumableStream, ms: number) => void
  /** Events from the number `#first` on. */
  readonly #events: string[] = []
  #isForgotten = false
  #isEnded = false
  #follower: { readonly response: ServerResponse; next: number } | undefined
  size = 0

  constructor(session: string, id: string, note: (stream: ResumableStream, ms: number) => void) {
    this.session = session
    this.#id = id
    this.#note = note
  }

  /** The event that says nothing but its id, so that a client can come back before anything else was said. */
  begin(): string {
    return this.#add(`id: ${this.#id}_0\nretry: 1000\ndata: \n\n`)
  }

  /** Takes one message. Returns it as the event it is. `isLast`: nothing follows. */
  add(message: string, isLast = false): string {
    this.#isEnded ||= isLast
    const event = this.#add(`id: ${this.#id}_${this.#events.length}\nevent: message\ndata: ${message}\n\n`)
    this.#send()
    return event
  }

  /** Sends the events from this number on, and what comes, until the stream ends. A later one takes the place of an earlier one. */
  follow(from: number, response: ServerResponse): void {
    this.#follower?.response.end()
    response.writeHead(200, eventStreamHeaders)
    response.flushHeaders()
    this.#follower = { response, next: from }
    this.#send()
  }

  forget(): void {
    this.#isForgotten = true
    this.#events.fill('')
    this.#follower?.response.destroy()
  }

  #add(event: string): string {
    // Numbers go on where nothing is remembered: what is missing must not look like what is there.
    const isRemembered = !this.#isForgotten && this.size + event.length <= mostOfOne
    this.#events.push(isRemembered ? event : '')
    if (isRemembered) this.size += event.length
    else this.#isForgotten = true
    if (!this.#isForgotten) this.#note(this, this.#isEnded ? lifetimeMs : longestMs)
    return event
  }

  #send(): void {
    const follower = this.#follower
    if (follower === undefined) return
    const events = this.#events.slice(follower.next)
    if (this.#isForgotten && events.includes('')) {
      follower.response.destroy()
      return
    }
    follower.next = this.#events.length
    if (events.length > 0) follower.response.write(events.join(''))
    if (!this.#isEnded) return
    follower.response.end()
    this.#follower = undefined
  }
}
