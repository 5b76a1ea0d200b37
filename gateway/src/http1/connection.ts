/**
 * One connection to an upstream: one exchange at a time, never a second request before the answer to the first is
 * complete, and never again after anything unexpected. All connections read into the same memory.
 */
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectSecure } from 'node:tls'
import { AnswerParser, type AnswerSink } from './answer-parser.ts'
import type { AnswerHead } from './answer-head.ts'
import { HttpError } from './exchange.ts'
import type { RunningExchange } from './running-exchange.ts'

export interface Origin {
  readonly secure: boolean
  readonly host: string
  readonly port: number
}

/** What the pool knows for its connections, and learns from them. */
export interface ConnectionOwner {
  readonly origin: Origin
  readonly connectTimeoutMs: number
  /** Longest silence in the middle of a body; 0 for any. */
  readonly bodyTimeoutMs: number
  /** TLS session of an earlier connection: the next handshake is shorter. */
  tlsSession: Buffer | undefined
  /** An answer is complete, and the connection can carry another exchange unless more is read before that. */
  onFree(connection: Connection): void
  /** It is gone, whatever it was doing. Called once. `unanswered` goes out again, on a fresh connection. */
  onGone(connection: Connection, unanswered?: RunningExchange): void
}

/** Filled and read again within one call of the event loop, so one is enough for all. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024)
/** Below this a copy costs less than a second write. */
const maxJoined = 64 * 1024
/** A connection nobody uses is closed after this. */
const freeMs = 30_000
/** Or this long before the upstream said that it closes it. */
const keepAliveMarginMs = 2000

export class Connection implements AnswerSink {
  readonly #owner: ConnectionOwner
  readonly #socket: Socket
  readonly #parser = new AnswerParser(this)
  readonly #connectTimer: NodeJS.Timeout
  #exchange: RunningExchange | undefined
  #persistent = false
  #connected = false
  #gone = false
  /** It has carried an exchange before the present one, and the present one has heard nothing yet. */
  #isKept = false
  /** The head is here and the body is not complete. */
  #inBody = false
  #freeLimitMs = freeMs
  /** Ticks of the pool's clock in which nothing was read, or for which the connection is free. */
  #quietTicks = 0
  /** The last read filled the memory it was given. */
  #isFull = false

  constructor(owner: ConnectionOwner, first: RunningExchange) {
    this.#owner = owner
    this.#exchange = first
    const { secure, host, port } = owner.origin
    const options = { host, port, noDelay: true, onread: { buffer: readBuffer, callback: this.#onRead } }
    this.#socket = secure
      ? connectSecure({ ...options, servername: isIP(host) === 0 ? host : '', ALPNProtocols: ['http/1.1'], session: owner.tlsSession })
      : connectPlain(options)
    this.#connectTimer = setTimeout(() => this.close(new HttpError('HTTP_CONNECT_TIMEOUT')), owner.connectTimeoutMs)
    this.#socket.once(secure ? 'secureConnect' : 'connect', this.#onConnected)
    this.#socket.on('session', (session: Buffer) => (owner.tlsSession = session))
    this.#socket.on('error', (error) => this.close(error))
    this.#socket.on('end', () => this.#onEnd())
    this.#socket.on('close', () => this.close(new HttpError('HTTP_CLOSED')))
  }

  /** False from the moment the upstream closes it, which may be before we are told. */
  get isUsable(): boolean {
    return this.#socket.writable && this.#socket.readable
  }

  /** Sends the request of an exchange; the connection is free. */
  run(exchange: RunningExchange): void {
    this.#exchange = exchange
    this.#isKept = true
    exchange.connection = this
    this.#send(exchange)
  }

  // Reading stops when there is an answer to read: a handshake that nobody reads would not end.
  pause(): void {
    if (this.#connected) this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** One tick of the pool's clock, which is counted so that no clock is read for a call. Closes what was free or silent for too long. */
  tick(tickMs: number): void {
    const exchange = this.#exchange
    const isWaiting = exchange !== undefined && (!this.#inBody || exchange.paused)
    this.#quietTicks = isWaiting ? 0 : this.#quietTicks + 1
    const quietMs = this.#quietTicks * tickMs
    const { bodyTimeoutMs } = this.#owner
    if (exchange === undefined && quietMs >= this.#freeLimitMs) this.close()
    // The first tick may have come right after the last byte.
    if (exchange !== undefined && bodyTimeoutMs > 0 && quietMs >= bodyTimeoutMs + tickMs) this.close(new HttpError('HTTP_BODY_TIMEOUT'))
  }

  onHead(head: AnswerHead): void {
    this.#persistent = head.persistent
    this.#freeLimitMs = Math.min(freeMs, head.keepAliveMs === undefined ? freeMs : head.keepAliveMs - keepAliveMarginMs)
    this.#inBody = true
    this.#exchange?.onHead(head)
  }

  onBody(chunk: Buffer): void {
    this.#exchange?.onData(chunk)
  }

  onComplete(isLast: boolean): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#inBody = false
    this.#quietTicks = 0
    // An answer that came before its request was sent leaves bytes behind that nobody will read as meant; and behind a
    // read that took all there was room for there may be more.
    if (isLast && !this.#isFull && this.#persistent && this.#freeLimitMs > 0 && this.#socket.writableLength === 0) {
      if (exchange?.paused === true) this.#socket.resume()
      this.#owner.onFree(this)
    } else {
      this.close()
    }
    exchange?.onComplete()
  }

  #onConnected = (): void => {
    clearTimeout(this.#connectTimer)
    this.#connected = true
    const exchange = this.#exchange
    if (exchange !== undefined) this.#send(exchange)
  }

  #send({ head, body, paused }: RunningExchange): void {
    this.#parser.begin()
    const socket = this.#socket
    if (paused) socket.pause()
    if (body === null || body.length === 0) {
      socket.write(head, 'latin1')
    } else if (body.length > maxJoined) {
      socket.cork()
      socket.write(head, 'latin1')
      socket.write(body)
      socket.uncork()
    } else {
      const joined = Buffer.allocUnsafe(head.length + body.length)
      joined.write(head, 'latin1')
      body.copy(joined, head.length)
      socket.write(joined)
    }
  }

  #onRead = (length: number, bytes: Uint8Array): boolean => {
    if (this.#gone) return false
    this.#quietTicks = 0
    this.#isKept = false
    this.#isFull = length === bytes.length
    try {
      this.#parser.push(bytes as Buffer, length)
    } catch (error) {
      this.close(error as Error)
      return false
    }
    return this.#exchange?.paused !== true
  }

  #onEnd(): void {
    if (!this.#gone && this.#parser.end()) return
    this.close(new HttpError('HTTP_CLOSED'))
  }

  /** Closes it, once. A running exchange is told why; without an error nobody is told but the owner. */
  close(error?: Error): void {
    if (this.#gone) return
    this.#gone = true
    clearTimeout(this.#connectTimer)
    // It may be the session that the upstream cannot take up again.
    if (!this.#connected) this.#owner.tlsSession = undefined
    this.#parser.stop()
    this.#socket.destroy()
    const exchange = this.#exchange
    this.#exchange = undefined
    if (this.#isKept && exchange?.sendsAgain === true && isEnd(error)) {
      this.#owner.onGone(this, exchange)
      return
    }
    this.#owner.onGone(this)
    if (error !== undefined) exchange?.onError(error)
  }
}

/** How a connection ends that the other side has given up. */
function isEnd(error: (Error & { readonly code?: string }) | undefined): boolean {
  return error?.code === 'HTTP_CLOSED' || error?.code === 'ECONNRESET' || error?.code === 'EPIPE'
}
