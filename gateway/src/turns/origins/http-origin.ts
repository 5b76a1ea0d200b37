/** A call that came as an HTTP request, and its answer as the response. */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Cancellation, type CancelSignal } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'
import { hopOf } from '../../identity/ways/presented-by.ts'
import type { Hop } from '../../identity/ways/way.ts'
import type { PathTarget } from '../../wire/dialect.ts'
import { writeChunk } from '../../http1/chunk-writer.ts'
import { readBody } from '../../models/reading-body.ts'
import type { BodyLimits } from '../../wire/request/request-bytes.ts'
import type { CallOrigin, Outlet } from './call-origin.ts'
import { FramedOutlet } from './framed-outlet.ts'

/** The origin of one request. `path`: what its path says. It is cancelled when the client goes away before its answer is whole. */
export function httpOrigin(request: IncomingMessage, response: ServerResponse, path?: PathTarget): CallOrigin {
  return new HttpOrigin(request, response, path)
}

class HttpOrigin implements CallOrigin {
  readonly headers: IncomingHttpHeaders
  readonly signal: CancelSignal
  readonly outlet: Outlet
  readonly path: PathTarget | undefined
  readonly #request: IncomingMessage
  readonly #cancellation = new Cancellation()

  constructor(request: IncomingMessage, response: ServerResponse, path: PathTarget | undefined) {
    this.headers = request.headers
    this.path = path
    this.#request = request
    const outlet = new HttpOutlet(response)
    this.outlet = path?.framing === undefined ? outlet : new FramedOutlet(outlet, path.framing)
    response.on('close', () => {
      if (!response.writableFinished) this.#cancellation.cancel(new TurnwardError('request.cancelled'))
    })
    this.signal = this.#cancellation
  }

  cancel(reason: TurnwardError): void {
    this.#cancellation.cancel(reason)
  }

  get hop(): Hop {
    return hopOf(this.#request)
  }

  get method(): string | undefined {
    return this.#request.method
  }

  get url(): string | undefined {
    return this.#request.url
  }

  body(limits: BodyLimits): Promise<Buffer> {
    return readBody(this.#request, limits)
  }
}

class HttpOutlet implements Outlet {
  readonly #response: ServerResponse

  constructor(response: ServerResponse) {
    this.#response = response
  }

  get hasBegun(): boolean {
    return this.#response.headersSent
  }

  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded
  }

  get isFull(): boolean {
    return this.#response.writableNeedDrain
  }

  head(status: number, headers: OutgoingHttpHeaders): void {
    this.#response.writeHead(status, headers)
  }

  write(bytes: Uint8Array | string): void {
    writeChunk(this.#response, bytes)
  }

  end(bytes?: Uint8Array | string): void {
    this.#response.end(bytes)
  }

  onDrain(listener: () => void): void {
    this.#response.on('drain', listener)
  }

  offDrain(listener: () => void): void {
    this.#response.off('drain', listener)
  }

  destroy(): void {
    this.#response.destroy()
  }
}
