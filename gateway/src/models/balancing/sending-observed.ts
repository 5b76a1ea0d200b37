/** Sends a request to an upstream, and lets its health hear of everything that comes of it. */
import type { IncomingHttpHeaders } from 'node:http'
import type { CancelSignal } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'
import type { BodySink, UpstreamRequest, UpstreamResponse } from '../../providers/transport.ts'
import type { Upstreams } from '../upstreams.ts'
import { Outrun } from './outrun.ts'
import type { AskedPlace, RunningExchange } from './running-exchange.ts'

/** As the transport of the upstream: resolves with the head, rejects on connect errors, timeouts and aborts. */
export async function sendObserved(
  upstreams: Upstreams,
  place: AskedPlace,
  request: UpstreamRequest,
  signal: CancelSignal,
): Promise<ObservedResponse> {
  const exchange = upstreams.health.begin(place)
  // An answer that nobody reads any more is never heard of again.
  const onAbort = (): void => (signal.reason instanceof Outrun ? exchange.outrun() : exchange.over())
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const response = await upstreams.of(place.upstream).send(request, signal)
    exchange.answered(response.status, response.headers)
    return new ObservedResponse(response, exchange, () => signal.removeEventListener('abort', onAbort))
  } catch (error) {
    signal.removeEventListener('abort', onAbort)
    if (signal.aborted) exchange.over()
    else noteFailure(exchange, error)
    throw error
  }
}

const noAnswer = /^(?:E[A-Z]|HTTP_CLOSED|HTTP_CONNECT_TIMEOUT|ERR_TLS|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED)/

function noteFailure(exchange: RunningExchange, error: unknown): void {
  const code = codeOf(error)
  // What is wrong here says nothing of the upstream.
  if (code === 'HTTP_POOL_CLOSED' || code === 'HTTP_INVALID_REQUEST') exchange.over()
  else if (noAnswer.test(code)) exchange.unreachable(`nobody answers (${code})`)
  else exchange.failed(/timeout/i.test(code) ? 'it did not answer in time' : 'its answer cannot be read')
}

function codeOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown }
  return typeof code === 'string' ? code.slice(0, 64) : ''
}

/** The answer and its reader in one object: nothing is allocated for a chunk. */
export class ObservedResponse implements UpstreamResponse, BodySink {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** For whoever finds out more of the answer. */
  readonly exchange: RunningExchange
  readonly #response: UpstreamResponse
  readonly #onOver: () => void
  #sink: BodySink | undefined
  #hasBegun = false

  constructor(response: UpstreamResponse, exchange: RunningExchange, onOver: () => void) {
    this.#response = response
    this.exchange = exchange
    this.#onOver = onOver
    this.status = response.status
    this.headers = response.headers
  }

  read(sink: BodySink): void {
    this.#sink = sink
    this.#response.read(this)
  }

  onData(chunk: Buffer): void {
    if (!this.#hasBegun) {
      this.#hasBegun = true
      this.exchange.bodyBegan()
    }
    this.#sink?.onData(chunk)
  }

  onEnd(): void {
    this.#onOver()
    this.exchange.completed()
    this.#sink?.onEnd()
  }

  onError(error: Error): void {
    this.#onOver()
    // An answer that is longer than we take, or that its client does not wait for, is none of the upstream's.
    const isOurs =
      error instanceof TurnwardError && (!error.code.startsWith('upstream.') || (error.code === 'upstream.timeout' && this.#hasBegun))
    if (isOurs) this.exchange.over()
    else this.exchange.failed(/timeout/i.test(codeOf(error)) ? 'its answer stopped in the middle' : 'its answer was cut off')
    this.#sink?.onError(error)
  }

  pause(): void {
    this.#response.pause()
  }

  resume(): void {
    this.#response.resume()
  }

  abort(): void {
    this.#onOver()
    this.exchange.over()
    this.#response.abort()
  }
}
