/** HTTP/1.1 to one model upstream: the time until its head is bounded here, and what comes before anybody reads is kept. */
import type { IncomingHttpHeaders } from 'node:http'
import type { UpstreamConfig } from '@turnward/contract/config'
import { TurnwardError } from '../core/error.ts'
import type { CancelSignal } from '../core/cancellation.ts'
import type { AnswerHandler, Exchange as Hop } from '../http1/exchange.ts'
import { HttpPool } from '../http1/pool.ts'
import { type BodyDecoder, codingOf, decoderFor, type DecodedSink } from './decoding-body.ts'
import type { BodySink, UpstreamRequest, UpstreamResponse, UpstreamTransport } from '../providers/transport.ts'

type HttpUpstreamConfig = Extract<UpstreamConfig, { base_url: string }>

export class HttpTransport implements UpstreamTransport {
  readonly #name: string
  readonly #pool: HttpPool
  readonly #basePath: string
  readonly #patience: Patience

  constructor(name: string, config: HttpUpstreamConfig) {
    this.#name = name
    const url = new URL(config.base_url)
    this.#patience = config
    this.#basePath = url.pathname.replace(/\/$/, '')
    this.#pool = new HttpPool(url.origin, {
      connections: config.connections,
      connectTimeoutMs: config.connect_timeout_ms,
      bodyTimeoutMs: config.idle_timeout_ms,
    })
  }

  send(request: UpstreamRequest, signal: CancelSignal): Promise<UpstreamResponse> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason)
        return
      }
      const exchange = new Exchange(this.#name, resolve, reject, signal, this.#patience)
      exchange.hop = this.#pool.dispatch(
        {
          method: request.method ?? 'POST',
          path: this.#basePath + request.path,
          headers: request.headers,
          body: request.body,
          sendsAgain: true,
        },
        exchange,
      )
    })
  }

  async close(): Promise<void> {
    this.#pool.close()
  }
}

/** How long an exchange may take. */
type Patience = Pick<HttpUpstreamConfig, 'timeout_ms' | 'first_byte_timeout_ms' | 'total_timeout_ms'>

const lateError = Object.assign(new Error('the upstream did not answer in time'), { code: 'UPSTREAM_HEADERS_TIMEOUT' })

/** Handler and response in one object: nothing is allocated per chunk. */
class Exchange implements AnswerHandler, UpstreamResponse, DecodedSink {
  status = 0
  headers: IncomingHttpHeaders = {}
  /** Undefined only while the request is handed over. */
  hop: Hop | undefined
  readonly #resolve: (response: UpstreamResponse) => void
  readonly #reject: (error: Error) => void
  readonly #signal: CancelSignal
  #sink: BodySink | undefined
  #early: Buffer[] = []
  #ended: 'open' | 'end' | 'error' | 'aborted' = 'open'
  #error: Error | undefined
  #deadline: NodeJS.Timeout | undefined
  readonly #total: NodeJS.Timeout | undefined
  readonly #patience: Patience
  readonly #upstream: string
  #coding: string | undefined
  /** Nothing of the body has been seen, so whether it is packed is not known. */
  #unseen = true
  #decoder: BodyDecoder | undefined

  constructor(
    upstream: string,
    resolve: (response: UpstreamResponse) => void,
    reject: (error: Error) => void,
    signal: CancelSignal,
    patience: Patience,
  ) {
    this.#upstream = upstream
    this.#resolve = resolve
    this.#reject = reject
    this.#signal = signal
    signal.addEventListener('abort', this.#onAbort, { once: true })
    this.#patience = patience
    this.#deadline = setTimeout(this.#onDeadline, patience.timeout_ms)
    if (patience.total_timeout_ms !== undefined) this.#total = setTimeout(this.#onTotal, patience.total_timeout_ms)
  }

  // The client went away or a deadline passed: the socket to the upstream goes too.
  #onAbort = (): void => {
    this.hop?.abort()
    this.#decoder?.stop()
    this.onDecodeError(this.#signal.reason as Error)
  }

  // No answer in time, whether it was sent or still waits for a connection.
  #onDeadline = (): void => {
    this.hop?.abort()
    this.onError(lateError)
  }

  // A stream that has a head and says nothing.
  #onFirstByteDeadline = (): void => this.#giveUp('first_byte_timeout_ms')

  #onTotal = (): void => this.#giveUp('total_timeout_ms')

  #giveUp(setting: 'first_byte_timeout_ms' | 'total_timeout_ms'): void {
    this.hop?.abort()
    this.#decoder?.stop()
    const what = setting === 'total_timeout_ms' ? 'it was not over' : 'its answer did not begin'
    const why = `${what} within ${this.#patience[setting]} ms (\`${setting}\`)`
    this.onDecodeError(new TurnwardError('upstream.timeout', { subject: this.#upstream, why }))
  }

  onHead(status: number, headers: IncomingHttpHeaders): void {
    clearTimeout(this.#deadline)
    const { first_byte_timeout_ms: firstByteMs } = this.#patience
    if (firstByteMs !== undefined) this.#deadline = setTimeout(this.#onFirstByteDeadline, firstByteMs)
    // Told through `onError` when it cannot be unpacked.
    if (headers['content-encoding'] !== undefined) this.#coding = codingOf(headers['content-encoding'], this.#upstream)
    this.status = status
    this.headers = headers
    this.#resolve(this)
  }

  onData(chunk: Buffer): void {
    if (this.#unseen) {
      this.#unseen = false
      clearTimeout(this.#deadline)
      this.#decoder = decoderFor(this.#coding, chunk, this, this.#upstream)
      if (this.#sink === undefined) this.#decoder?.pause()
    }
    if (this.#decoder === undefined) this.onDecoded(chunk)
    else if (!this.#decoder.write(chunk)) this.hop?.pause()
  }

  onEnd(): void {
    if (this.#decoder === undefined) this.onDecodedEnd()
    else this.#decoder.end()
  }

  onError(error: Error): void {
    if (this.#decoder === undefined) this.onDecodeError(error)
    else this.#decoder.end(error)
  }

  onDecoded(chunk: Buffer): void {
    if (this.#sink !== undefined) this.#sink.onData(chunk)
    else this.#early.push(chunk)
  }

  onDecodedEnd(): void {
    this.#settle('end')
    this.#sink?.onEnd()
  }

  onDecodeError(error: Error): void {
    if (this.#decoder !== undefined) this.hop?.abort()
    this.#settle('error')
    this.#error = error
    if (this.status === 0) this.#reject(error)
    else this.#sink?.onError(error)
  }

  onDecoderFree(): void {
    this.hop?.resume()
  }

  read(sink: BodySink): void {
    const early = this.#early
    this.#early = []
    this.#sink = sink
    for (const chunk of early) sink.onData(chunk)
    if (this.#ended === 'end') sink.onEnd()
    else if (this.#ended === 'error' && this.#error !== undefined) sink.onError(this.#error)
    else this.#decoder?.resume()
  }

  pause(): void {
    if (this.#decoder !== undefined) this.#decoder.pause()
    else this.hop?.pause()
  }

  resume(): void {
    if (this.#decoder !== undefined) this.#decoder.resume()
    else this.hop?.resume()
  }

  abort(): void {
    if (this.#ended !== 'open') return
    this.#settle('aborted')
    this.#decoder?.stop()
    this.hop?.abort()
  }

  #settle(state: 'end' | 'error' | 'aborted'): void {
    this.#ended = state
    clearTimeout(this.#deadline)
    clearTimeout(this.#total)
    this.#signal.removeEventListener('abort', this.#onAbort)
  }
}
