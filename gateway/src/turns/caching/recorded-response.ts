/** An answer of an upstream that is kept while it passes, up to a bound. */
import type { BodySink, UpstreamResponse } from '../../providers/transport.ts'

export class RecordedResponse implements UpstreamResponse {
  readonly #response: UpstreamResponse
  readonly #maxBytes: number
  #chunks: Buffer[] = []
  #size = 0

  constructor(response: UpstreamResponse, maxBytes: number) {
    this.#response = response
    this.#maxBytes = maxBytes
  }

  get status(): number {
    return this.#response.status
  }

  get headers(): UpstreamResponse['headers'] {
    return this.#response.headers
  }

  /** What has come of it; undefined when that is more than the bound. */
  get bytes(): Buffer | undefined {
    return this.#size > this.#maxBytes ? undefined : Buffer.concat(this.#chunks, this.#size)
  }

  read(sink: BodySink): void {
    this.#response.read({
      onData: (chunk) => {
        this.#note(chunk)
        sink.onData(chunk)
      },
      onEnd: () => sink.onEnd(),
      onError: (error) => sink.onError(error),
    })
  }

  pause(): void {
    this.#response.pause()
  }

  resume(): void {
    this.#response.resume()
  }

  abort(): void {
    this.#response.abort()
  }

  #note(chunk: Buffer): void {
    this.#size += chunk.length
    // Whoever reads on may use the memory of the chunk again.
    if (this.#size <= this.#maxBytes) this.#chunks.push(Buffer.from(chunk))
    else this.#chunks = []
  }
}
