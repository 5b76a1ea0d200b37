/**
 * HTTP/1.1 to one upstream through an undici Pool with `dispatch`: no fetch, no web streams, no promise per
 * chunk. HTTP/2 stays off (it costs more CPU per request here) and redirects are never followed.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import type { UpstreamConfig } from '@turnward/contract/config'
import type { CancelSignal } from '../core/cancellation.ts'
import { Pool } from '../wire/http-pool.ts'
import type { BodySink, UpstreamRequest, UpstreamResponse, UpstreamTransport } from './transport.ts'

type HttpUpstreamConfig = Exclude<UpstreamConfig, { kind: 'scripted' }>

export class HttpTransport implements UpstreamTransport {
  readonly #pool: Pool
  readonly #basePath: string
  readonly #timeoutMs: number

  constructor(config: HttpUpstreamConfig) {
    const url = new URL(config.base_url)
    this.#timeoutMs = config.timeout_ms
    this.#basePath = url.pathname.replace(/\/$/, '')
    this.#pool = new Pool(url.origin, {
      connections: config.connections,
      pipelining: 1,
      allowH2: false,
      connect: { timeout: config.connect_timeout_ms },
      // Counted here from the moment a call is made: undici's own clock starts only once it has a connection.
      headersTimeout: 0,
      bodyTimeout: config.idle_timeout_ms,
      keepAliveTimeout: 30_000,
    })
  }

  send(request: UpstreamRequest, signal: CancelSignal): Promise<UpstreamResponse> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason)
        return
      }
      const exchange = new Exchange(resolve, reject, signal, this.#timeoutMs)
      this.#pool.dispatch(
        { method: 'POST', path: this.#basePath + request.path, headers: request.headers as string[], body: request.body },
        exchange,
      )
    })
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}

const lateError = Object.assign(new Error('the upstream did not answer in time'), { code: 'UPSTREAM_HEADERS_TIMEOUT' })

/** Handler and response in one object: nothing is allocated per chunk. */
class Exchange implements Dispatcher.DispatchHandler, UpstreamResponse {
  status = 0
  headers: IncomingHttpHeaders = {}
  readonly #resolve: (response: UpstreamResponse) => void
  readonly #reject: (error: Error) => void
  readonly #signal: CancelSignal
  #controller: Dispatcher.DispatchController | undefined
  #sink: BodySink | undefined
  #early: Buffer[] = []
  #ended: 'open' | 'end' | 'error' | 'aborted' = 'open'
  #error: Error | undefined
  readonly #deadline: NodeJS.Timeout
  #isLate = false

  constructor(resolve: (response: UpstreamResponse) => void, reject: (error: Error) => void, signal: CancelSignal, timeoutMs: number) {
    this.#resolve = resolve
    this.#reject = reject
    this.#signal = signal
    signal.addEventListener('abort', this.#onAbort, { once: true })
    this.#deadline = setTimeout(this.#onDeadline, timeoutMs)
  }

  // The client went away or a deadline passed: the socket to the upstream goes too.
  #onAbort = (): void => {
    clearTimeout(this.#deadline)
    if (this.#controller !== undefined) this.#controller.abort(this.#signal.reason as Error)
    else this.#reject(this.#signal.reason as Error)
  }

  // No answer in time, with or without a connection: what waits in the pool's queue must not wait for ever.
  #onDeadline = (): void => {
    this.#isLate = true
    this.#settle('error')
    this.#controller?.abort(lateError)
    this.#reject(lateError)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isLate) controller.abort(lateError)
    if (this.#signal.aborted) controller.abort(this.#signal.reason as Error)
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return
    clearTimeout(this.#deadline)
    this.#controller = controller
    this.status = status
    this.headers = headers
    this.#resolve(this)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#sink !== undefined) this.#sink.onData(chunk)
    else this.#early.push(chunk)
  }

  onResponseEnd(): void {
    this.#settle('end')
    this.#sink?.onEnd()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const aborted = this.#ended === 'aborted'
    this.#settle('error')
    this.#error = error
    if (aborted) return
    if (this.status === 0) this.#reject(error)
    else this.#sink?.onError(error)
  }

  read(sink: BodySink): void {
    const early = this.#early
    this.#early = []
    this.#sink = sink
    for (const chunk of early) sink.onData(chunk)
    if (this.#ended === 'end') sink.onEnd()
    else if (this.#ended === 'error' && this.#error !== undefined) sink.onError(this.#error)
  }

  pause(): void {
    if (this.#ended === 'open') this.#controller?.pause()
  }

  resume(): void {
    if (this.#ended === 'open') this.#controller?.resume()
  }

  abort(): void {
    if (this.#ended !== 'open') return
    this.#settle('aborted')
    this.#controller?.abort(new Error('the exchange was ended by the gateway'))
  }

  #settle(state: 'end' | 'error' | 'aborted'): void {
    this.#ended = state
    clearTimeout(this.#deadline)
    this.#signal.removeEventListener('abort', this.#onAbort)
  }
}
