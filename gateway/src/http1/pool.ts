/**
 * The connections to one origin. Strict HTTP/1.1 (RFC 9112) and nothing else: no redirect is followed, nothing is
 * stored, decoded or upgraded, and nothing is sent twice unless its caller says so and a kept connection proved stale. The most recently used connection is used first, so that those nobody needs age.
 */
import { Connection, type ConnectionOwner, type Origin } from './connection.ts'
import { HttpError, type AnswerHandler, type Exchange, type OutgoingRequest } from './exchange.ts'
import { writeHead } from './request-head.ts'
import { RunningExchange } from './running-exchange.ts'

export interface PoolOptions {
  /** Connections at one time; requests beyond wait. */
  readonly connections: number
  readonly connectTimeoutMs: number
  /** Longest silence in the middle of a body; 0 for any. How long the head takes is the caller's to bound. */
  readonly bodyTimeoutMs: number
}

const longestTickMs = 1000
const shortestTickMs = 10

export class HttpPool implements ConnectionOwner {
  readonly origin: Origin
  readonly connectTimeoutMs: number
  readonly bodyTimeoutMs: number
  tlsSession: Buffer | undefined
  readonly #host: string
  readonly #connections: number
  readonly #tickMs: number
  readonly #all = new Set<Connection>()
  readonly #free: Connection[] = []
  /** Free at the end of this turn of the event loop. */
  readonly #settling = new Set<Connection>()
  readonly #queue = new Set<RunningExchange>()
  #ticker: NodeJS.Timeout | undefined
  #closed = false

  /** `origin` is `http://host:port` or `https://host:port`. */
  constructor(origin: string, { connections, connectTimeoutMs, bodyTimeoutMs }: PoolOptions) {
    const { protocol, hostname, port, host } = new URL(origin)
    const secure = protocol === 'https:'
    this.origin = { secure, host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? (secure ? 443 : 80) : Number(port) }
    this.connectTimeoutMs = connectTimeoutMs
    this.bodyTimeoutMs = bodyTimeoutMs
    this.#host = host
    this.#connections = connections
    this.#tickMs = bodyTimeoutMs === 0 ? longestTickMs : Math.max(shortestTickMs, Math.min(longestTickMs, bodyTimeoutMs / 8))
  }

  /** Sends a request when a connection is free for it. What is wrong with it is told to the handler before this returns. */
  dispatch(request: OutgoingRequest, handler: AnswerHandler): Exchange {
    const body = typeof request.body === 'string' ? Buffer.from(request.body) : request.body
    let exchange: RunningExchange
    try {
      if (this.#closed) throw new HttpError('HTTP_POOL_CLOSED')
      exchange = new RunningExchange(
        writeHead(request, this.#host, body?.length ?? 0),
        body,
        request.sendsAgain === true,
        handler,
        this.#leaveQueue,
      )
    } catch (error) {
      handler.onError(error as Error)
      return over
    }
    this.#queue.add(exchange)
    this.#serve()
    return exchange
  }

  /** Closes all connections; whoever waits or runs is told. */
  close(): void {
    this.#closed = true
    const error = new HttpError('HTTP_POOL_CLOSED')
    const waiting = [...this.#queue]
    this.#queue.clear()
    for (const exchange of waiting) exchange.onError(error)
    for (const connection of this.#all) connection.close(error)
  }

  onFree(connection: Connection): void {
    if (!this.origin.secure) {
      this.#free.push(connection)
      this.#serve()
      return
    }
    // What was received is decrypted record by record: bytes behind an answer may be in the next one, and would be taken
    // for the answer to what is sent now. By the end of this turn they have ended the connection.
    this.#settling.add(connection)
    setImmediate(this.#settle, connection)
  }

  onGone(connection: Connection, unanswered?: RunningExchange): void {
    this.#all.delete(connection)
    this.#settling.delete(connection)
    const at = this.#free.lastIndexOf(connection)
    if (at !== -1) this.#free.splice(at, 1)
    if (this.#all.size === 0) {
      clearInterval(this.#ticker)
      this.#ticker = undefined
    }
    // Before those who wait: it had its connection already, and another free one may be as stale.
    if (unanswered !== undefined) this.#open(unanswered)
    this.#serve()
  }

  /** Gives connections to those who wait, in the order they came. */
  #serve(): void {
    for (const exchange of this.#queue) {
      const free = this.#nextFree()
      if (free === undefined && (this.#all.size >= this.#connections || this.#settling.size > 0)) return
      this.#queue.delete(exchange)
      if (free === undefined) this.#open(exchange)
      else free.run(exchange)
    }
  }

  #settle = (connection: Connection): void => {
    if (!this.#settling.delete(connection)) return
    this.#free.push(connection)
    this.#serve()
  }

  /** The one used last; one that is closing is passed over, and is gone when it says so. */
  #nextFree(): Connection | undefined {
    let free = this.#free.pop()
    while (free !== undefined && !free.isUsable) free = this.#free.pop()
    return free
  }

  #open(exchange: RunningExchange): void {
    exchange.connection = new Connection(this, exchange)
    this.#all.add(exchange.connection)
    this.#ticker ??= setInterval(this.#tick, this.#tickMs).unref()
  }

  #leaveQueue = (exchange: RunningExchange): void => {
    this.#queue.delete(exchange)
  }

  #tick = (): void => {
    for (const connection of this.#all) connection.tick(this.#tickMs)
  }
}

/** What a request that could not be sent leaves to its caller. */
const over: Exchange = { pause() {}, resume() {}, abort() {} }
