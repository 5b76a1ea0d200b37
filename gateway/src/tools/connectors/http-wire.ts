/**
 * HTTP to one MCP server: posts messages, reads a JSON or an event-stream answer, bounded. Redirects are never
 * followed and no cookie is kept; the only headers are the configured ones and those of the protocol.
 */
import type { CancelSignal } from '../../core/cancellation.ts'
import type { TurnwardError } from '../../core/error.ts'
import { HttpPool } from '../../http1/pool.ts'
import { isOurs, type RpcMessage, type RpcResponse } from '../codec/json-rpc.ts'
import { abortedError } from './cancelling.ts'
import type { RequestOptions, ResponseLimits } from './exchange.ts'
import { brokeOff, credentialRefused, unavailable } from './failure.ts'
import type { HopAuthorization } from './hop-authorization.ts'
import { HttpAnswer } from './http-answer.ts'
import { EventReader, JsonReader, type MessageReaderOptions, type Take } from './message-reader.ts'
import type { StreamPlace } from './stream-place.ts'

export interface HttpOptions {
  readonly server: string
  readonly url: string
  /** Configured headers; secrets, so they appear nowhere else. */
  readonly headers: Readonly<Record<string, string>>
  /** Headers that are asked for with each request; absent: there are only the configured ones. */
  readonly authorization?: HopAuthorization | undefined
  /** Connections for calls; long streams, and calls that wait for what their server has asked, come on top. */
  readonly connections: number
  readonly limits: ResponseLimits
}

/** How an answer is read. */
export type ReadingOptions = Pick<RequestOptions, 'maxBytes' | 'large'>

type Headers = Readonly<Record<string, string>>

/** The stream of a session, answers to what a server asks, and calls that wait for them. */
const onTop = 4 + 64
const anyAnswer = 'application/json, text/event-stream'

export class HttpWire {
  readonly server: string
  readonly #pool: HttpPool
  readonly #path: string
  /** Headers every request of a method starts with; those of the protocol win over configured ones. */
  readonly #headers: Readonly<Record<'POST' | 'GET' | 'DELETE', Headers>>
  readonly #limits: ResponseLimits
  readonly #authorization: HopAuthorization | undefined

  constructor(options: HttpOptions) {
    const url = new URL(options.url)
    this.server = options.server
    this.#path = `${url.pathname}${url.search}`
    const configured = Object.fromEntries(Object.entries(options.headers).map(([name, value]) => [name.toLowerCase(), value]))
    this.#headers = {
      POST: { ...configured, accept: anyAnswer, 'content-type': 'application/json' },
      GET: { ...configured, accept: 'text/event-stream' },
      DELETE: { ...configured, accept: anyAnswer },
    }
    this.#limits = options.limits
    this.#authorization = options.authorization
    // Time is bounded by the signal of each request, so that progress does not extend a deadline.
    this.#pool = new HttpPool(url.origin, { connections: options.connections + onTop, connectTimeoutMs: 10_000, bodyTimeoutMs: 0 })
  }

  /** Posts one message. Resolves with the head of the answer; rejects with `mcp.server_unavailable`, or with what the signal was aborted for. */
  post(body: string, headers: Headers, signal: CancelSignal): Promise<HttpAnswer> {
    return this.#send('POST', body, headers, signal)
  }

  /** Opens (GET) the stream of a legacy session, or ends the session (DELETE). As `post`. */
  ofSession(method: 'GET' | 'DELETE', headers: Headers, signal: CancelSignal): Promise<HttpAnswer> {
    return this.#send(method, null, headers, signal)
  }

  #send(method: 'POST' | 'GET' | 'DELETE', body: string | null, headers: Headers, signal: CancelSignal): Promise<HttpAnswer> {
    const authorization = this.#authorization
    if (authorization === undefined) return this.#dispatch(method, body, headers, signal)
    return authorization.send(signal, (own) => this.#dispatch(method, body, { ...headers, ...own }, signal))
  }

  #dispatch(method: 'POST' | 'GET' | 'DELETE', body: string | null, headers: Headers, signal: CancelSignal): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(abortedError(signal))
      const answer = new HttpAnswer(this.server, signal, resolve, reject)
      answer.exchange = this.#pool.dispatch({ method, path: this.#path, headers: flat(this.#headers[method], headers), body }, answer)
    })
  }

  /** The response to our request from a JSON or event-stream answer; every other message goes to `onMessage`. */
  async readResponse(
    answer: HttpAnswer,
    id: number,
    onMessage: (message: RpcMessage) => void,
    options: ReadingOptions = {},
  ): Promise<RpcResponse> {
    const found = await this.readResponseFrom(undefined, answer, id, onMessage, options)
    if (found === undefined) throw unavailable(this.server, 'it closed the stream before it answered')
    return found
  }

  /** As `readResponse`. Undefined when the stream was closed before the response, and can be asked for from where it stands. */
  async readResponseFrom(
    place: StreamPlace | undefined,
    answer: HttpAnswer,
    id: number,
    onMessage: (message: RpcMessage) => void,
    options: ReadingOptions,
  ): Promise<RpcResponse | undefined> {
    let why = 'it closed the stream before it answered'
    const take: Take<RpcResponse> = (message) => {
      if (message.kind === 'result' || message.kind === 'error') {
        // One request was asked, so an answer without an id is for it.
        if (message.id === undefined || isOurs(id, message.id)) return message
        why = 'it answered with an id that was not asked'
      }
      if (message.kind === 'invalid') why = `its answer is malformed: ${message.why}`
      onMessage(message)
      return undefined
    }
    const reading = this.readMessages(answer, take, { maxBytes: options.maxBytes, place, readLarge: this.#largeReader(id, options) })
    const canResume = (): boolean => place?.lastEventId !== undefined
    const found = await (place === undefined
      ? reading
      : reading.catch((error: unknown) => {
          if (canResume() && brokeOff(error)) return undefined
          throw error
        }))
    if (found === undefined && !canResume()) throw unavailable(this.server, why)
    return found
  }

  /** Gives messages to `take` until it returns something or the answer ends. Leaves nothing of the answer unread. */
  readMessages<T>(
    answer: HttpAnswer,
    take: Take<T>,
    { maxBytes, place, readLarge }: Partial<Pick<MessageReaderOptions<T>, 'place' | 'readLarge'>> & Pick<ReadingOptions, 'maxBytes'> = {},
  ): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const options = {
        server: this.server,
        take,
        resolve,
        reject,
        place,
        readLarge,
        rest: (ms: number) => answer.rest(ms),
        discard: () => answer.discard(),
      }
      const type = answer.mediaType
      if (type === 'application/json')
        return answer.read(new JsonReader(options, maxBytes ?? this.#limits.maxResponseBytes, announcedLength(answer)))
      if (type === 'text/event-stream') return answer.read(new EventReader(options, maxBytes ?? this.#limits.maxEventBytes))
      answer.discard()
      return reject(unavailable(this.server, `it answered with HTTP ${answer.statusCode} and neither JSON nor an event stream`))
    })
  }

  #largeReader(id: number, { large: of }: ReadingOptions): MessageReaderOptions<RpcResponse>['readLarge'] {
    const { largeMessages } = this.#limits
    if (of === undefined || largeMessages === undefined) return undefined
    return (message) => largeMessages.read(this.server, message, { id, of })
  }

  async close(): Promise<void> {
    this.#pool.close()
  }
}

function flat(base: Headers, own: Headers): string[] {
  const list: string[] = []
  for (const name in base) if (!(name in own)) list.push(name, base[name] as string)
  for (const name in own) list.push(name, own[name] as string)
  return list
}

function announcedLength(answer: HttpAnswer): number | undefined {
  const length = Number(answer.header('content-length') ?? Number.NaN)
  return Number.isSafeInteger(length) ? length : undefined
}

/** A refusal by status alone; undefined when the answer should be read. */
export function refusedByStatus(server: string, status: number): TurnwardError | undefined {
  if (status === 401 || status === 403) return credentialRefused(server, status)
  if (status >= 300 && status < 400) return unavailable(server, `it redirects (HTTP ${status}); configure the final address`)
  if (status >= 500) return unavailable(server, `it failed (HTTP ${status})`)
  return undefined
}
