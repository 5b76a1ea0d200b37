/** An outlet whose streams go out in another form than server-sent events. What is no stream passes as it is. */
import type { OutgoingHttpHeaders } from 'node:http'
import type { StreamFraming, StreamRecoder } from '../../wire/framing/stream-framing.ts'
import type { Outlet } from './call-origin.ts'

export class FramedOutlet implements Outlet {
  readonly #outlet: Outlet
  readonly #framing: StreamFraming
  #encoder: StreamRecoder | undefined

  constructor(outlet: Outlet, framing: StreamFraming) {
    this.#outlet = outlet
    this.#framing = framing
  }

  get hasBegun(): boolean {
    return this.#outlet.hasBegun
  }

  get isOpen(): boolean {
    return this.#outlet.isOpen
  }

  get isFull(): boolean {
    return this.#outlet.isFull
  }

  head(status: number, headers: OutgoingHttpHeaders): void {
    if (!String(headers['content-type'] ?? '').startsWith('text/event-stream')) return this.#outlet.head(status, headers)
    this.#encoder = this.#framing.encoder()
    this.#outlet.head(status, { ...headers, 'content-type': this.#framing.contentType })
  }

  write(bytes: Uint8Array | string): void {
    const written = this.#encoded(bytes)
    if (written.length > 0) this.#outlet.write(written)
  }

  end(bytes?: Uint8Array | string): void {
    if (this.#encoder === undefined) return this.#outlet.end(bytes)
    const last = bytes === undefined ? Buffer.alloc(0) : (this.#encoded(bytes) as Buffer)
    const rest = Buffer.concat([last, this.#encoder.end()])
    this.#outlet.end(rest.length === 0 ? undefined : rest)
  }

  onDrain(listener: () => void): void {
    this.#outlet.onDrain(listener)
  }

  offDrain(listener: () => void): void {
    this.#outlet.offDrain(listener)
  }

  destroy(): void {
    this.#outlet.destroy()
  }

  #encoded(bytes: Uint8Array | string): Uint8Array | string {
    return this.#encoder?.push(typeof bytes === 'string' ? Buffer.from(bytes) : bytes) ?? bytes
  }
}
