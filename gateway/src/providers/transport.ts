/**
 * One exchange with an upstream: a request out, a response head, body bytes, an end. The relay sits behind
 * this small interface so that a stricter or faster HTTP client can replace the one we use, and a provider can bring its own.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { CancelSignal } from '../core/cancellation.ts'

export interface UpstreamRequest {
  /** `POST` unless told otherwise. */
  readonly method?: 'POST' | 'GET'
  /** Path and query below the origin of the upstream. */
  readonly path: string
  /** Flat list of names and values. */
  readonly headers: readonly string[]
  readonly body: Buffer | string
}

/** Receives the body. Called in order; nothing after `onEnd` or `onError`. */
export interface BodySink {
  onData(chunk: Buffer): void
  onEnd(): void
  onError(error: Error): void
}

export interface UpstreamResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Starts delivery to the sink; bytes that came earlier are delivered first. */
  read(sink: BodySink): void
  pause(): void
  resume(): void
  /** Ends the exchange early. The sink hears nothing more. */
  abort(): void
}

export interface UpstreamTransport {
  /**
   * Resolves with the response head. Rejects on connect errors, timeouts and aborts; errors that happen later
   * go to the body sink.
   */
  send(request: UpstreamRequest, signal: CancelSignal): Promise<UpstreamResponse>
  close(): Promise<void>
}
