/** A call that came as an HTTP request, and its answer as the response. */
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Cancellation, type CancelSignal } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'
import { writeChunk } from '../../http1/chunk-writer.ts'
import { readBody } from '../../models/reading-body.ts'
import type { BodyLimits } from '../../wire/request/request-bytes.ts'
import type { CallOrigin, Outlet } from './call-origin.ts'

/** The origin of one request. It is cancelled when the client goes away before its answer is whole. */
export function httpOrigin(request: IncomingMessage, response: ServerResponse): CallOrigin {
  return new HttpOrigin(request, response)
}

class HttpOrigin implements CallOrigin {
  readonly headers: IncomingHttpHeaders
  readonly signal: CancelSignal
  readonly outlet: Outlet
  readonly #request: IncomingMessage

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.headers = request.headers
    this.#request = request
    this.outlet = new HttpOutlet(response)
    const cancellation = new Cancellation()
    response.on('close', () => {
      if (!response.writableFinished) cancellation.cancel(new TurnwardError('request.cancelled'))
    })
    this.signal = cancellation
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
