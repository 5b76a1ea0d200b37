/**
 * A hop of the legacy era over Streamable HTTP (2025-03-26 to 2025-11-25): one session, opened once for all
 * callers, opened again when the server has forgotten it. A call is sent a second time only when the server
 * cannot have started it.
 */
import type { JsonObject } from '../../core/json.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { isOurs, notificationText, requestText, type RpcMessage, type RpcResponse } from '../codec/json-rpc.ts'
import { mayAsk } from '../asks.ts'
import { waitFor } from './cancelling.ts'
import type { ConnectorEvents, Exchange, RequestOptions } from './exchange.ts'
import { neverSent, unavailable } from './failure.ts'
import type { HttpAnswer } from './http-answer.ts'
import { refusedByStatus, type HttpWire } from './http-wire.ts'
import { isUnread, legacySession, SessionLost, verdictOnSession, type LegacySession } from './legacy-session.ts'
import { answerToServer, initialize, subscribeTo, takeNotification } from './opening.ts'
import { StreamPlace } from './stream-place.ts'
import { StreamKeeper } from './stream-keeper.ts'

/** How often the stream of one call may be closed and opened again without a new event on it. */
const mostIdleResumptions = 20
/** A server that asks us to come back at once gets this much time all the same. */
const shortestRetryMs = 50
const askMs = 5000
/** What a server asks beyond that at once, pings among it, is not answered: it would only make us busy. */
const mostAnswers = 256
const goodbyeMs = 1000

class LegacyHttp implements Exchange {
  readonly era = 'legacy'
  capabilities: JsonObject = {}
  version: string | undefined
  readonly ended = new Promise<string>(() => {})
  readonly #wire: HttpWire
  readonly #events: ConnectorEvents
  #session: Promise<LegacySession> | undefined
  #stream: StreamKeeper | undefined
  #next = 1
  /** Questions of the server that are being answered. */
  #answering = 0

  readonly #offers: JsonObject
  #wanted: readonly string[] = []
  #watched: ReadonlySet<string> = new Set()
  /** Requests of clients that run. */
  readonly #running = new Set<RequestOptions>()

  constructor(wire: HttpWire, events: ConnectorEvents, offers: JsonObject) {
    this.#offers = offers
    this.#wire = wire
    this.#events = events
  }

  /** Opens the session; throws when the server does not want one. */
  async open(): Promise<void> {
    await this.#opened()
  }

  async request(method: string, params: JsonObject, options: RequestOptions): Promise<RpcResponse> {
    for (let attempt = 0; ; attempt += 1) {
      const opening = this.#opened()
      const session = await waitFor(opening, options.signal)
      try {
        return await this.#exchange(session, method, params, options)
      } catch (error) {
        const lost = error instanceof SessionLost
        if (!lost && !neverSent(error)) throw error
        if (this.#session === opening) this.#forget()
        // A server that lost its sessions has probably been restarted, perhaps with other tools.
        if (lost && attempt === 0) this.#events.onListChanged()
        if (attempt > 0) throw lost ? unavailable(this.#wire.server, 'it does not keep the session it opened') : error
      }
    }
  }

  watch(uris: readonly string[]): void {
    this.#wanted = uris
    if (this.#session !== undefined) this.#watched = subscribeTo(this, this.#watched, uris)
  }

  async close(): Promise<void> {
    const opening = this.#session
    this.#forget()
    try {
      const session = await opening
      if (session?.id !== undefined) await this.#wire.ofSession('DELETE', session.headers, AbortSignal.timeout(goodbyeMs)).then(discard)
    } catch {
      // The server may be gone already; a session it keeps will expire there.
    }
    await this.#wire.close()
  }

  /** Single flight: callers that arrive while the session opens wait for the same one. */
  #opened(): Promise<LegacySession> {
    if (this.#session !== undefined) return this.#session
    const opening = this.#initialize()
    this.#session = opening
    opening.catch(() => {
      if (this.#session === opening) this.#session = undefined
    })
    return opening
  }

  async #initialize(): Promise<LegacySession> {
    // Not the signal of the caller that happened to come first: others wait for this session too.
    const signal = AbortSignal.timeout(30_000)
    let id: string | undefined
    const request: Exchange['request'] = async (method, params, options) => {
      const requestId = this.#next++
      const answer = await this.#wire.post(requestText(requestId, method, params), {}, options.signal)
      id = answer.header('mcp-session-id')
      const refused = refusedByStatus(this.#wire.server, answer.statusCode)
      if (refused !== undefined) {
        answer.discard()
        throw refused
      }
      return this.#wire.readResponse(answer, requestId, () => {})
    }
    const { version, capabilities } = await initialize({ request }, this.#wire.server, this.#offers, signal)
    this.capabilities = capabilities
    this.version = version
    // A new session knows nothing of what was watched.
    this.#watched = new Set()
    if (this.#wanted.length > 0) setImmediate(() => this.watch(this.#wanted))
    if (id !== undefined && !/^[\x21-\x7e]{1,4096}$/.test(id)) throw unavailable(this.#wire.server, 'its session id is malformed')
    const session = legacySession(id, version)
    await this.#wire.post(notificationText('notifications/initialized'), session.headers, signal).then(discard)
    this.#stream?.close()
    this.#stream = new StreamKeeper((closing, opened) => this.#listen(session, closing, opened))
    return session
  }

  async #exchange(session: LegacySession, method: string, params: JsonObject, options: RequestOptions): Promise<RpcResponse> {
    const id = this.#next++
    const meta = params._meta as JsonObject | undefined
    const sent = options.onProgress === undefined ? params : { ...params, _meta: { ...meta, progressToken: id } }
    const onMessage = (message: RpcMessage): void => {
      if (message.kind === 'notification' && message.method === 'notifications/progress' && isOurs(id, message.params.progressToken))
        options.onProgress?.(message.params)
      // What stands on the stream of a request is about that request.
      else if (message.kind === 'notification' && message.method === 'notifications/message') options.onLog?.(message.params)
      else this.#aside(session, message, options)
    }
    if (mayAsk(method)) this.#running.add(options)
    try {
      const answer = await this.#wire.post(requestText(id, method, sent), session.headers, options.signal)
      const refusal = await this.#checkStatus(session, answer)
      return refusal ?? (await this.#answerOf(session, answer, id, onMessage, options))
    } catch (error) {
      // A closed stream is not a cancellation in this era (2025-11-25, transports): say it.
      if (options.signal.aborted) this.#post(session, notificationText('notifications/cancelled', { requestId: id })).catch(() => {})
      throw error
    } finally {
      this.#running.delete(options)
    }
  }

  /** The response, from the stream of the request or from where it was closed before (2025-11-25, SEP-1699). */
  async #answerOf(
    session: LegacySession,
    answer: HttpAnswer,
    id: number,
    onMessage: (message: RpcMessage) => void,
    options: RequestOptions,
  ): Promise<RpcResponse> {
    const { signal } = options
    const place = new StreamPlace()
    let current = answer
    let idle = 0
    for (;;) {
      const before = place.lastEventId
      const response = await this.#wire.readResponseFrom(place, current, id, onMessage, options)
      if (response !== undefined) return response
      idle = place.lastEventId === before ? idle + 1 : 0
      if (idle > mostIdleResumptions) throw unavailable(this.#wire.server, 'it closes the stream of the call again and again')
      await waitFor(sleep(Math.max(place.retryMs, shortestRetryMs)), signal)
      current = await this.#wire.ofSession('GET', { ...session.headers, 'last-event-id': place.lastEventId ?? '' }, signal)
      if (current.statusCode === 200 && current.mediaType === 'text/event-stream') continue
      current.discard()
      throw unavailable(
        this.#wire.server,
        `it closed the stream before it answered, and does not go on with it (HTTP ${current.statusCode})`,
      )
    }
  }

  /** Resolves with a refusal that is the answer, with nothing when the answer is still to be read. Throws what a status means by itself. */
  async #checkStatus(session: LegacySession, answer: HttpAnswer): Promise<RpcResponse | undefined> {
    const status = answer.statusCode
    if (status < 300) return undefined
    const refused = refusedByStatus(this.#wire.server, status)
    const verdict = verdictOnSession(session, status)
    const isRefusal = status === 400 || status === 404
    if (verdict === 'kept' && refused === undefined && !isRefusal && answer.mediaType === 'application/json') return undefined
    const refusal = verdict === 'ask' ? await this.#refusalOf(answer) : undefined
    if (refusal?.kind === 'error' && !isUnread(refusal) && !isRefusal) return refusal
    answer.discard()
    if (verdict === 'lost' || (verdict === 'ask' && isUnread(refusal) && (await this.#isLost(session)))) throw new SessionLost()
    throw refused ?? unavailable(this.#wire.server, `it refused the request (HTTP ${status})`)
  }

  /** Whether the server refuses a `ping` in the session too: what it answers there was not about the request. */
  async #isLost(session: LegacySession): Promise<boolean> {
    const answer = await this.#wire.post(requestText(this.#next++, 'ping', {}), session.headers, AbortSignal.timeout(askMs))
    answer.discard()
    return verdictOnSession(session, answer.statusCode) !== 'kept'
  }

  /** Messages that are not the answer: changed lists, and requests we must not leave hanging. `request`: on whose stream they come. */
  #aside(session: LegacySession, message: RpcMessage, request?: RequestOptions): undefined {
    if (message.kind === 'notification') takeNotification(message, this.#events)
    if (message.kind !== 'request') return
    // Some servers ask on the stream of the session: for the request that runs, when there is only one.
    const [only, another] = this.#running
    if (this.#answering >= mostAnswers) return
    this.#answering += 1
    answerToServer(message, request ?? (another === undefined ? only : undefined))
      .then((text) => this.#post(session, text))
      .catch(() => {})
      .finally(() => (this.#answering -= 1))
  }

  /** What a refusal says; undefined when it is no message, or longer than such a thing is. */
  async #refusalOf(answer: HttpAnswer): Promise<RpcMessage | undefined> {
    if (answer.mediaType !== 'application/json') return undefined
    return this.#wire.readMessages(answer, (each) => each, { maxBytes: 65_536 }).catch(() => undefined)
  }

  async #listen(session: LegacySession, closing: AbortSignal, opened: () => void): Promise<boolean> {
    const answer = await this.#wire.ofSession('GET', session.headers, closing)
    if (answer.statusCode !== 200) {
      answer.discard()
      return answer.statusCode >= 500
    }
    opened()
    await this.#wire.readMessages(answer, (message) => this.#aside(session, message))
    return true
  }

  async #post(session: LegacySession, body: string): Promise<void> {
    await this.#wire.post(body, session.headers, AbortSignal.timeout(10_000)).then(discard, () => {})
  }

  #forget(): void {
    this.#session = undefined
    this.#stream?.close()
    this.#stream = undefined
  }
}

/** Opens a hop to a server known to be legacy. Owns the wire. `offers`: what clients behind us can be asked for. */
export async function openLegacyHttp(wire: HttpWire, events: ConnectorEvents, offers: JsonObject): Promise<Exchange> {
  const exchange = new LegacyHttp(wire, events, offers)
  try {
    await exchange.open()
    return exchange
  } catch (error) {
    await wire.close()
    throw error
  }
}

function discard(answer: HttpAnswer): void {
  answer.discard()
}
