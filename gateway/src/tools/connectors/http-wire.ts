/**
 * HTTP to one MCP server: posts messages, reads a JSON or an event-stream answer, bounded. Redirects are never
 * followed and no cookie is kept; the only headers are the configured ones and those of the protocol.
 */
import { parseExactJson } from '../../core/exact-json.ts'
import { Pool, type Dispatcher } from 'undici'
import { TurnwardError } from '../../core/error.ts'
import { readMessage, type RpcId, type RpcMessage, type RpcResponse } from '../codec/json-rpc.ts'
import { SseFramer } from '../../wire/sse.ts'
import { abortedError, type ResponseLimits } from './connector.ts'
import { socketFailure, unavailable } from './failure.ts'

export interface HttpOptions {
  readonly server: string
  readonly url: string
  /** Configured headers; secrets, so they appear nowhere else. */
  readonly headers: Readonly<Record<string, string>>
  /** Connections for calls; long streams come on top. */
  readonly connections: number
  readonly limits: ResponseLimits
}

export type HttpAnswer = Dispatcher.ResponseData

const longStreams = 4

export class HttpWire {
  readonly server: string
  readonly #pool: Pool
  readonly #path: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #limits: ResponseLimits

  constructor(options: HttpOptions) {
    const url = new URL(options.url)
    this.server = options.server
    this.#path = `${url.pathname}${url.search}`
    this.#headers = Object.fromEntries(Object.entries(options.headers).map(([name, value]) => [name.toLowerCase(), value]))
    this.#limits = options.limits
    // Time is bounded by the signal of each request, so that progress does not extend a deadline.
    this.#pool = new Pool(url.origin, { connections: options.connections + longStreams, pipelining: 1, headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 10_000 } })
  }

  /** Sends one request. Rejects with `mcp.server_unavailable`, or with what the signal was aborted for. */
  async send(method: 'POST' | 'GET' | 'DELETE', body: string | undefined, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpAnswer> {
    const accept = method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream'
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
    try {
      return await this.#pool.request({ method, path: this.#path, headers: { ...this.#headers, accept, ...type, ...headers }, body: body ?? null, signal })
    } catch (error) {
      throw signal.aborted ? abortedError(signal) : socketFailure(this.server, error)
    }
  }

  /** The response with this id from a JSON or event-stream answer; every other message goes to `onMessage`. */
  async readResponse(answer: HttpAnswer, id: RpcId, signal: AbortSignal, onMessage: (message: RpcMessage) => void): Promise<RpcResponse> {
    let found: RpcResponse | undefined
    await this.readMessages(answer, signal, (message) => {
      if ((message.kind === 'result' || message.kind === 'error') && message.id === id) found = message
      else if (message.kind === 'error' && message.id === undefined) found = message
      else onMessage(message)
      return found !== undefined
    })
    if (found === undefined) throw unavailable(this.server, 'it closed the stream before it answered')
    return found
  }

  /** Reads messages until `done` says so or the answer ends. Leaves nothing of the answer unread. */
  async readMessages(answer: HttpAnswer, signal: AbortSignal, done: (message: RpcMessage) => boolean): Promise<void> {
    const stream = mediaType(answer) === 'text/event-stream'
    if (!stream && mediaType(answer) !== 'application/json') {
      discard(answer)
      throw unavailable(this.server, `it answered with HTTP ${answer.statusCode} and neither JSON nor an event stream`)
    }
    const events = new SseFramer(this.#limits.maxEventBytes)
    const parts: Buffer[] = []
    let size = 0
    try {
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        size += chunk.length
        // A listening stream lives for days; only its single events are bounded.
        if (!stream && size > this.#limits.maxResponseBytes) throw unavailable(this.server, 'its answer is too large')
        if (!stream) parts.push(chunk)
        else if (this.#take(dataOf(events, chunk), done)) return
      }
      if (!stream) this.#take([Buffer.concat(parts).toString('utf8')], done)
    } catch (error) {
      if (signal.aborted) throw abortedError(signal)
      if (error instanceof TurnwardError && error.code === 'upstream.malformed') throw unavailable(this.server, 'an event of its answer is too large')
      throw error instanceof TurnwardError ? error : socketFailure(this.server, error)
    } finally {
      discard(answer)
    }
  }

  #take(texts: readonly string[], done: (message: RpcMessage) => boolean): boolean {
    for (const text of texts) {
      let value: unknown
      try {
        value = parseExactJson(text)
      } catch {
        throw unavailable(this.server, 'its answer is not JSON')
      }
      // 2025-03-26 servers may answer with a batch.
      for (const item of Array.isArray(value) ? value : [value]) if (done(readMessage(item))) return true
    }
    return false
  }

  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}

/** The data of the events these bytes complete. Servers open a stream they can resume with an event without data. */
function dataOf(events: SseFramer, chunk: Buffer): string[] {
  const found: string[] = []
  events.push(chunk, ({ data }) => {
    if (data !== undefined && data !== '') found.push(data)
  })
  return found
}

/** Drops what is left of an answer, so that its connection is free or closed. */
export function discard(answer: HttpAnswer): void {
  answer.body.on('error', () => {})
  answer.body.destroy()
}

export function mediaType(answer: HttpAnswer): string {
  return (headerOf(answer, 'content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

export function headerOf(answer: HttpAnswer, name: string): string | undefined {
  const value = answer.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** A refusal by status alone; undefined when the answer should be read. */
export function refusedByStatus(server: string, status: number): TurnwardError | undefined {
  if (status === 401 || status === 403) return unavailable(server, `it refused the configured credential (HTTP ${status})`)
  if (status >= 300 && status < 400) return unavailable(server, `it redirects (HTTP ${status}); configure the final address`)
  if (status >= 500) return unavailable(server, `it failed (HTTP ${status})`)
  return undefined
}
