/** What a hop to an upstream is made of: one request out, one answer back, and what can go wrong between them. */
import type { IncomingHttpHeaders } from 'node:http'

export interface OutgoingRequest {
  readonly method: 'POST' | 'GET' | 'DELETE' | 'PUT' | 'PATCH'
  /** Origin form: path and query (RFC 9112, 3.2.1). */
  readonly path: string
  /** Flat list of names and values. Those of the connection and the framing are the client's own and refused here. */
  readonly headers: readonly string[]
  readonly body: Buffer | string | null
  /**
   * A kept connection that ends before any byte of an answer has most likely ended before the request arrived: it is sent once
   * more, on a fresh one. Not for requests that must never be made twice. What fails on a fresh connection is never repeated.
   */
  readonly sendsAgain?: boolean
}

/**
 * Hears of an answer, in this order and at most once each but for `onData`. Nothing comes after `onEnd` or `onError`.
 * What a handler throws ends the exchange and comes back through `onError`.
 */
export interface AnswerHandler {
  /** Names are in lower case; a name that came more than once has a list. Interim answers are not reported. */
  onHead(status: number, headers: IncomingHttpHeaders): void
  /** The chunk is the handler's to keep. */
  onData(chunk: Buffer): void
  onEnd(): void
  /** Before the head or in the middle of the body; an `HttpError`, or what the system said of the socket. */
  onError(error: Error): void
}

/** The caller's hand on a request that is waiting or running. After its end nothing here does anything. */
export interface Exchange {
  /** Stops reading, so that the upstream stops sending. What was read already is still delivered. */
  pause(): void
  resume(): void
  /** Gives the request up: its connection is closed, or it leaves the queue. The handler hears nothing more. */
  abort(): void
}

const messages = {
  HTTP_CONNECT_TIMEOUT: 'the connection could not be made in time',
  HTTP_BODY_TIMEOUT: 'the answer stopped in the middle',
  HTTP_CLOSED: 'the connection was closed before the answer was complete',
  HTTP_MALFORMED: 'the answer is not valid HTTP/1.1',
  HTTP_HEAD_TOO_LONG: 'the head of the answer is longer than 16 KB',
  HTTP_INVALID_REQUEST: 'the request has a method, path or header that cannot be sent',
  HTTP_POOL_CLOSED: 'the connections to this upstream were closed',
}

/** A failed exchange. `detail` is ours and never has bytes of the upstream in it. */
export class HttpError extends Error {
  readonly code: keyof typeof messages

  constructor(code: keyof typeof messages, detail?: string) {
    super(detail === undefined ? messages[code] : `${messages[code]}: ${detail}`)
    this.code = code
  }
}
