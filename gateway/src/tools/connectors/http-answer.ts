/**
 * One exchange with an MCP server: what its connection reports to, and the answer, in one object. It allocates
 * nothing per chunk, and leaves nothing unread: an answer is read to its end or its connection is given up.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { CancelSignal } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'
import type { AnswerHandler, Exchange } from '../../http1/exchange.ts'
import { abortedError } from './cancelling.ts'
import { socketFailure } from './failure.ts'

/** Reads a body while it arrives. What it throws ends the exchange and comes back through `onError`. */
export interface BodyReader {
  /** True when it wants no more. */
  onData(chunk: Buffer): boolean
  onEnd(): void
  onError(error: TurnwardError): void
}

/** Bytes that may arrive before somebody reads them. */
const maxUnclaimed = 64 * 1024
/** How long an answer that has been understood may take to end: a connection that ends its answer can be used again. */
const lingerMs = 10
const givenUp = new Error('the exchange was ended by the gateway')
const once = { once: true } as const

export class HttpAnswer implements AnswerHandler {
  /** 0 until the head of the answer is here. */
  statusCode = 0
  /** Undefined only while the request is handed over. */
  exchange: Exchange | undefined
  readonly #server: string
  readonly #signal: CancelSignal
  readonly #resolve: (answer: HttpAnswer) => void
  readonly #reject: (error: TurnwardError) => void
  #headers: IncomingHttpHeaders = {}
  #reader: BodyReader | undefined
  #unclaimed: Buffer[] | undefined
  #unclaimedBytes = 0
  #state: 'open' | 'complete' | 'failed' | 'unwanted' = 'open'
  #failure: TurnwardError | undefined
  #linger: NodeJS.Timeout | undefined

  /** Resolves with itself when the head is here. Rejects with `mcp.server_unavailable`, or with what the signal was aborted for. */
  constructor(server: string, signal: CancelSignal, resolve: (answer: HttpAnswer) => void, reject: (error: TurnwardError) => void) {
    this.#server = server
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
    signal.addEventListener('abort', this.#giveUp, once)
  }

  /** Media type without parameters, lower case; empty when the server names none. */
  get mediaType(): string {
    const type = this.header('content-type') ?? ''
    return type === 'application/json' ? type : (type.split(';', 1)[0] ?? '').trim().toLowerCase()
  }

  header(name: string): string | undefined {
    const value = this.#headers[name]
    return Array.isArray(value) ? value[0] : value
  }

  /** Gives the body to the reader: what is here now, the rest when it arrives. */
  read(reader: BodyReader): void {
    const unclaimed = this.#unclaimed
    this.#unclaimed = undefined
    this.#reader = reader
    if (this.#failure !== undefined) return reader.onError(this.#failure)
    if (unclaimed !== undefined) for (const chunk of unclaimed) this.#give(reader, chunk)
    if (this.#state === 'complete') this.#finish(reader)
    else if (this.#unclaimedBytes > maxUnclaimed) this.exchange?.resume()
  }

  /** Drops what is left of the answer, so that its connection is free or closed. */
  discard(): void {
    if (this.#state !== 'open') return
    this.#settle('unwanted')
    this.#giveUp()
  }

  /** Reads nothing more for so many milliseconds. */
  rest(ms: number): void {
    if (this.#state !== 'open') return
    this.exchange?.pause()
    setTimeout(() => {
      if (this.#state === 'open') this.exchange?.resume()
    }, ms).unref()
  }

  onHead(status: number, headers: IncomingHttpHeaders): void {
    this.statusCode = status
    this.#headers = headers
    this.#resolve(this)
  }

  onData(chunk: Buffer): void {
    if (this.#reader !== undefined) {
      this.#give(this.#reader, chunk)
      return
    }
    this.#unclaimed ??= []
    this.#unclaimed.push(chunk)
    this.#unclaimedBytes += chunk.length
    if (this.#unclaimedBytes > maxUnclaimed) this.exchange?.pause()
  }

  onEnd(): void {
    clearTimeout(this.#linger)
    if (this.#state !== 'open') return
    this.#settle('complete')
    if (this.#reader !== undefined) this.#finish(this.#reader)
  }

  onError(error: Error): void {
    clearTimeout(this.#linger)
    this.#fail(error)
  }

  #giveUp = (): void => {
    this.exchange?.abort()
    this.onError(givenUp)
  }

  #give(reader: BodyReader, chunk: Buffer): void {
    if (this.#state !== 'open' && this.#state !== 'complete') return
    try {
      if (reader.onData(chunk)) this.#understood()
    } catch (error) {
      this.#fail(error)
      this.#giveUp()
    }
  }

  #understood(): void {
    // Through one more round of reading, so that an end which is already here counts even when we are late.
    if (this.#state === 'open') this.#linger = setTimeout(setImmediate, lingerMs, this.#giveUp)
    if (this.#state !== 'failed') this.#settle('unwanted')
  }

  #finish(reader: BodyReader): void {
    try {
      reader.onEnd()
    } catch (error) {
      reader.onError(this.#explain(error))
    }
  }

  #fail(error: unknown): void {
    if (this.#state === 'failed' || this.#state === 'unwanted') return
    this.#settle('failed')
    const failure = this.#explain(error)
    if (this.statusCode === 0) this.#reject(failure)
    else if (this.#reader === undefined) this.#failure = failure
    else this.#reader.onError(failure)
  }

  #explain(error: unknown): TurnwardError {
    if (this.#signal.aborted) return abortedError(this.#signal)
    return error instanceof TurnwardError ? error : socketFailure(this.#server, error)
  }

  #settle(state: 'complete' | 'failed' | 'unwanted'): void {
    this.#state = state
    this.#signal.removeEventListener('abort', this.#giveUp)
  }
}
