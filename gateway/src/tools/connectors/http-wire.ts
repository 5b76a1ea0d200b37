/**
 * HTTP to one MCP server: posts messages, reads a JSON or an event-stream answer, bounded. Redirects are never
 * followed and no cookie is kept; the only headers are the configured ones and those of the protocol.
 */
import type { TurnwardError } from '../../core/error.ts'
import { Pool } from '../../wire/http-pool.ts'
import type { RpcId, RpcMessage, RpcResponse } from '../codec/json-rpc.ts'
import { abortedError, type ResponseLimits } from './connector.ts'
import { unavailable } from './failure.ts'
import { HttpAnswer } from './http-answer.ts'
import { EventReader, JsonReader, type Take } from './message-reader.ts'

export interface HttpOptions {
  readonly server: string
  readonly url: string
  /** Configured headers; secrets, so they appear nowhere else. */
  readonly headers: Readonly<Record<string, string>>
  /** Connections for calls; long streams come on top. */
  readonly connections: number
  readonly limits: ResponseLimits
}

type Headers = Readonly<Record<string, string>>

const longStreams = 4
const anyAnswer = 'application/json, text/event-stream'

export class HttpWire {
  readonly server: string
  readonly #pool: Pool
  readonly #path: string
  /** Headers every request of a method starts with; those of the protocol win over configured ones. */
  readonly #headers: Readonly<Record<'POST' | 'GET' | 'DELETE', Headers>>
  readonly #limits: ResponseLimits

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
    // Time is bounded by the signal of each request, so that progress does not extend a deadline.
    this.#pool = new Pool(url.origin, {
      connections: options.connections + longStreams,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout: 10_000 },
    })
  }

  /** Posts one message. Resolves with the head of the answer; rejects with `mcp.server_unavailable`, or with what the signal was aborted for. */
  post(body: string, headers: Headers, signal: AbortSignal): Promise<HttpAnswer> {
    return this.#send('POST', body, headers, signal)
  }

  /** Opens (GET) the stream of a legacy session, or ends the session (DELETE). As `post`. */
  ofSession(method: 'GET' | 'DELETE', headers: Headers, signal: AbortSignal): Promise<HttpAnswer> {
    return this.#send(method, null, headers, signal)
  }

  #send(method: 'POST' | 'GET' | 'DELETE', body: string | null, headers: Headers, signal: AbortSignal): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) reject(abortedError(signal))
      else
        this.#pool.dispatch(
          { method, path: this.#path, headers: { ...this.#headers[method], ...headers }, body },
          new HttpAnswer(this.server, signal, resolve, reject),
        )
    })
  }

  /** The response with this id from a JSON or event-stream answer; every other message goes to `onMessage`. */
  async readResponse(answer: HttpAnswer, id: RpcId, onMessage: (message: RpcMessage) => void): Promise<RpcResponse> {
    const found = await this.readMessages(answer, (message) => {
      if ((message.kind === 'result' && message.id === id) || (message.kind === 'error' && (message.id === id || message.id === undefined)))
        return message
      onMessage(message)
      return undefined
    })
    if (found === undefined) throw unavailable(this.server, 'it closed the stream before it answered')
    return found
  }

  /** Gives messages to `take` until it returns something or the answer ends. Leaves nothing of the answer unread. */
  readMessages<T>(answer: HttpAnswer, take: Take<T>, maxBytes = this.#limits.maxResponseBytes): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const options = { server: this.server, take, resolve, reject }
      const type = answer.mediaType
      if (type === 'application/json') return answer.read(new JsonReader(options, maxBytes))
      if (type === 'text/event-stream') return answer.read(new EventReader(options, this.#limits.maxEventBytes))
      answer.discard()
      return reject(unavailable(this.server, `it answered with HTTP ${answer.statusCode} and neither JSON nor an event stream`))
    })
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}

/** A refusal by status alone; undefined when the answer should be read. */
export function refusedByStatus(server: string, status: number): TurnwardError | undefined {
  if (status === 401 || status === 403) return unavailable(server, `it refused the configured credential (HTTP ${status})`)
  if (status >= 300 && status < 400) return unavailable(server, `it redirects (HTTP ${status}); configure the final address`)
  if (status >= 500) return unavailable(server, `it failed (HTTP ${status})`)
  return undefined
}
