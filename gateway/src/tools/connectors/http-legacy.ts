/**
 * A hop of the legacy era over Streamable HTTP (2025-03-26 to 2025-11-25): one session, opened once for all
 * callers, opened again when the server has forgotten it. A call is sent a second time only when the server
 * cannot have started it.
 */
import type { JsonObject } from '../../core/json.ts'
import { errorText, notificationText, requestText, resultText, rpcCodes, type RpcMessage, type RpcResponse } from '../codec/json-rpc.ts'
import { waitFor, type ConnectorEvents, type Exchange, type RequestOptions } from './connector.ts'
import { neverSent, unavailable } from './failure.ts'
import type { HttpAnswer } from './http-answer.ts'
import { refusedByStatus, type HttpWire } from './http-wire.ts'
import { initialize } from './opening.ts'
import { StreamKeeper } from './stream-keeper.ts'

interface Session {
  readonly id: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

/** Marks a session the server no longer knows; it has not looked at the request. */
class SessionLost extends Error {}

const goodbyeMs = 1000

class LegacyHttp implements Exchange {
  readonly era = 'legacy'
  readonly ended = new Promise<string>(() => {})
  readonly #wire: HttpWire
  readonly #events: ConnectorEvents
  #session: Promise<Session> | undefined
  #stream: StreamKeeper | undefined
  #next = 1

  constructor(wire: HttpWire, events: ConnectorEvents) {
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
        if (lost && attempt === 0) this.#events.onToolsChanged()
        if (attempt > 0) throw lost ? unavailable(this.#wire.server, 'it does not keep the session it opened') : error
      }
    }
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
  #opened(): Promise<Session> {
    if (this.#session !== undefined) return this.#session
    const opening = this.#initialize()
    this.#session = opening
    opening.catch(() => {
      if (this.#session === opening) this.#session = undefined
    })
    return opening
  }

  async #initialize(): Promise<Session> {
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
    const version = await initialize({ request }, this.#wire.server, signal)
    if (id !== undefined && !/^[\x21-\x7e]{1,4096}$/.test(id)) throw unavailable(this.#wire.server, 'its session id is malformed')
    const session: Session = { id, headers: sessionHeaders(id, version) }
    await this.#wire.post(notificationText('notifications/initialized'), session.headers, signal).then(discard)
    this.#stream?.close()
    this.#stream = new StreamKeeper((closing, opened) => this.#listen(session, closing, opened))
    return session
  }

  async #exchange(session: Session, method: string, params: JsonObject, options: RequestOptions): Promise<RpcResponse> {
    const id = this.#next++
    const meta = params._meta as JsonObject | undefined
    const sent = options.onProgress === undefined ? params : { ...params, _meta: { ...meta, progressToken: id } }
    try {
      const answer = await this.#wire.post(requestText(id, method, sent), session.headers, options.signal)
      await this.#checkStatus(session, answer)
      return await this.#wire.readResponse(answer, id, (message) => {
        if (message.kind === 'notification' && message.method === 'notifications/progress' && message.params.progressToken === id)
          options.onProgress?.(message.params)
        else this.#aside(session, message)
      })
    } catch (error) {
      // A closed stream is not a cancellation in this era (2025-11-25, transports): say it.
      if (options.signal.aborted) this.#post(session, notificationText('notifications/cancelled', { requestId: id }))
      throw error
    }
  }

  async #checkStatus(session: Session, answer: HttpAnswer): Promise<void> {
    const status = answer.statusCode
    if (status < 300) return
    const refused = refusedByStatus(this.#wire.server, status)
    if (refused === undefined && status !== 404 && status !== 400 && answer.mediaType === 'application/json') return
    const lost = session.id !== undefined && (status === 404 || (status === 400 && (await this.#errorCodeOf(answer)) === -32000))
    answer.discard()
    // 404 by the specification; 400 with -32000 is what widely used servers answer to an unknown session.
    if (lost) throw new SessionLost()
    throw refused ?? unavailable(this.#wire.server, `it refused the request (HTTP ${status})`)
  }

  /** Messages that are not the answer: changed tools, and requests we must not leave hanging. */
  #aside(session: Session, message: RpcMessage): undefined {
    if (message.kind === 'notification' && message.method === 'notifications/tools/list_changed') this.#events.onToolsChanged()
    if (message.kind !== 'request') return
    this.#post(
      session,
      message.method === 'ping'
        ? resultText(message.id, {})
        : errorText(message.id, { code: rpcCodes.methodNotFound, message: 'Method not found' }),
    )
  }

  /** The code of the error a refusal carries; undefined when it carries none, or is longer than such a thing is. */
  async #errorCodeOf(answer: HttpAnswer): Promise<number | undefined> {
    if (answer.mediaType !== 'application/json') return undefined
    const message = await this.#wire.readMessages(answer, (each) => each, 65_536).catch(() => undefined)
    return message?.kind === 'error' ? message.error.code : undefined
  }

  async #listen(session: Session, closing: AbortSignal, opened: () => void): Promise<boolean> {
    const answer = await this.#wire.ofSession('GET', session.headers, closing)
    if (answer.statusCode !== 200) {
      answer.discard()
      return answer.statusCode >= 500
    }
    opened()
    await this.#wire.readMessages(answer, (message) => this.#aside(session, message))
    return true
  }

  #post(session: Session, body: string): void {
    this.#wire.post(body, session.headers, AbortSignal.timeout(10_000)).then(discard, () => {})
  }

  #forget(): void {
    this.#session = undefined
    this.#stream?.close()
    this.#stream = undefined
  }
}

/** Opens a hop to a server known to be legacy. Owns the wire. */
export async function openLegacyHttp(wire: HttpWire, events: ConnectorEvents): Promise<Exchange> {
  const exchange = new LegacyHttp(wire, events)
  try {
    await exchange.open()
    return exchange
  } catch (error) {
    await wire.close()
    throw error
  }
}

function sessionHeaders(id: string | undefined, version: string): Readonly<Record<string, string>> {
  // 2025-03-26 does not know the version header, and ignores it.
  return id === undefined ? { 'mcp-protocol-version': version } : { 'mcp-session-id': id, 'mcp-protocol-version': version }
}

function discard(answer: HttpAnswer): void {
  answer.discard()
}
