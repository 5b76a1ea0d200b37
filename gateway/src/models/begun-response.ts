/** An answer that is not read before it has begun: what has come by then is kept for whoever reads it. */
import type { IncomingHttpHeaders } from 'node:http'
import type { BodySink, UpstreamResponse } from '../providers/transport.ts'

/** A line of an event stream that says something: neither blank nor a comment, which only keeps the connection alive. */
const saysSomething = /^[^:\r\n]/m

export class BegunResponse implements UpstreamResponse, BodySink {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Resolves once something of the answer is there. Rejects when it breaks off before that. */
  readonly begun: Promise<void>
  readonly #response: UpstreamResponse
  readonly #isStream: boolean
  #resolve: () => void = () => {}
  #reject: (error: Error) => void = () => {}
  #sink: BodySink | undefined
  #early: Buffer[] = []
  #hasBegun = false
  #ended: 'open' | 'end' | 'aborted' | Error = 'open'
  #isPaused = false

  constructor(response: UpstreamResponse) {
    this.#response = response
    this.status = response.status
    this.headers = response.headers
    this.#isStream = String(response.headers['content-type'] ?? '').startsWith('text/event-stream')
    this.begun = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    response.read(this)
  }

  onData(chunk: Buffer): void {
    if (this.#sink !== undefined) {
      this.#sink.onData(chunk)
      return
    }
    this.#early.push(chunk)
    if (!this.#hasBegun && (!this.#isStream || saysSomething.test(chunk.toString('latin1')))) this.#begin()
  }

  #begin(): void {
    this.#hasBegun = true
    this.#response.pause()
    this.#resolve()
  }

  onEnd(): void {
    if (this.#sink !== undefined) this.#sink.onEnd()
    else {
      this.#ended = 'end'
      this.#resolve()
    }
  }

  onError(error: Error): void {
    if (this.#sink !== undefined) this.#sink.onError(error)
    else if (this.#hasBegun) this.#ended = error
    else this.#reject(error)
  }

  read(sink: BodySink): void {
    const early = this.#early
    this.#early = []
    this.#sink = sink
    for (const chunk of early) if (this.#ended !== 'aborted') sink.onData(chunk)
    if (this.#ended === 'end') sink.onEnd()
    else if (this.#ended instanceof Error) sink.onError(this.#ended)
    else if (this.#ended === 'open' && !this.#isPaused) this.#response.resume()
  }

  pause(): void {
    this.#isPaused = true
    this.#response.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#response.resume()
  }

  abort(): void {
    this.#ended = 'aborted'
    this.#response.abort()
  }
}
