/**
 * The listening side: one table from method and path to the floor that answers. Knows nothing of either floor
 * but their entrances, and stops in order: no new work, running work finishes, then the doors close.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import { describeModel, listModels } from '../models/listing-models.ts'
import { countTokens } from '../turns/counting-tokens.ts'
import { runModelCall } from '../turns/model-call.ts'
import type { Services } from '../turns/services.ts'
import { chatCompletions } from '../wire/chat-completions.ts'
import { messages } from '../wire/messages.ts'
import { answerHealth, answerReadiness } from './health.ts'
import { answerUnreadable, endWithGrace } from './unreadable-requests.ts'

export type McpEndpoint = (request: IncomingMessage, response: ServerResponse, gateway: string) => Promise<void>

export interface HttpServer {
  /** `http://host:port` it listens on. */
  readonly url: string
  /** Stops taking work, waits for running requests at most `drainMs`, then closes every connection. */
  close(drainMs: number): Promise<void>
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void

interface Entrance {
  readonly method: string
  readonly handle: Handler
}

/** `/v1/models/{name}`. */
const modelPrefix = '/v1/models/'

export async function listen(services: Services, mcp: McpEndpoint, stale: () => string | undefined): Promise<HttpServer> {
  const { listen: at, limits } = services.snapshot().settings
  let draining = false
  const isDraining = (): boolean => draining
  const entrances = entranceTable(services, stale, isDraining)

  const server = createServer(
    {
      // A request's head must be complete within this time; its body has a deadline of its own.
      headersTimeout: limits.header_timeout_ms,
      // The net below every other deadline: nobody keeps a connection by sending a body for ever.
      requestTimeout: limits.header_timeout_ms + limits.body_timeout_ms + 5000,
      connectionsCheckingInterval: Math.min(1000, limits.header_timeout_ms),
      maxHeaderSize: 32 * 1024,
      keepAliveTimeout: 65_000,
    },
    (request, response) => {
      response.on('finish', closeUnread)
      response.on('prefinish', endUnreadAnswer)
      dispatch(request, response, entrances, mcp, isDraining)
    },
  )
  server.on('clientError', answerUnreadable)
  server.maxConnections = limits.max_connections
  server.setTimeout(0)
  await bind(server, at.host, at.port)
  return {
    url: urlOf(server),
    async close(drainMs) {
      draining = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const deadline = setTimeout(() => server.closeAllConnections(), drainMs)
      await closed
      clearTimeout(deadline)
    },
  }
}

function entranceTable(services: Services, stale: () => string | undefined, isDraining: () => boolean): ReadonlyMap<string, Entrance> {
  return new Map<string, Entrance>([
    ['/v1/chat/completions', { method: 'POST', handle: (request, response) => runModelCall(services, request, response, chatCompletions) }],
    ['/v1/messages', { method: 'POST', handle: (request, response) => runModelCall(services, request, response, messages) }],
    ['/v1/messages/count_tokens', { method: 'POST', handle: (request, response) => countTokens(services, request, response, messages) }],
    ['/v1/models', { method: 'GET', handle: (request, response) => answerModels(services, request, response) }],
    [modelPrefix, { method: 'GET', handle: (request, response) => answerModels(services, request, response) }],
    ['/healthz', { method: 'GET', handle: (_request, response) => answerHealth(services, response) }],
    ['/readyz', { method: 'GET', handle: (_request, response) => answerReadiness(services, response, stale(), isDraining()) }],
    ['/metrics', { method: 'GET', handle: (_request, response) => answerMetrics(services, response) }],
  ])
}

function dispatch(request: IncomingMessage, response: ServerResponse, entrances: ReadonlyMap<string, Entrance>, mcp: McpEndpoint, isDraining: () => boolean): void {
  const path = pathOf(request)
  const entrance = entrances.get(path) ?? (path.startsWith(modelPrefix) ? entrances.get(modelPrefix) : undefined)
  const isProbe = path === '/healthz' || path === '/readyz' || path === '/metrics'
  try {
    if (isDraining() && !isProbe) throw new TurnwardError('gateway.draining', { retryAfterSeconds: 1 })
    if (entrance !== undefined) {
      if (request.method !== entrance.method) {
        response.setHeader('allow', entrance.method)
        throw new TurnwardError('request.method', { subject: `${request.method} ${path}` })
      }
      settle(entrance.handle(request, response), response)
      return
    }
    const gateway = /^\/mcp\/([^/]{1,64})$/.exec(path)?.[1]
    if (gateway === undefined) throw new TurnwardError('request.not_found', { subject: path.slice(0, 200) })
    settle(mcp(request, response, gateway), response)
  } catch (error) {
    answerPlainError(response, error)
  }
}

/** How long a finished answer may wait for a client that does not read it. */
const unreadAnswerMs = 60_000

function endUnreadAnswer(this: ServerResponse): void {
  // The kernel has taken all of it.
  if (this.writableLength === 0) return
  const timer = setTimeout(() => this.destroy(), unreadAnswerMs)
  this.once('close', () => clearTimeout(timer))
}

// An answer given before the body was read (a refusal, mostly) ends the connection: what is left of the body would
// have to be read, from somebody who may never end it.
function closeUnread(this: ServerResponse): void {
  // The end of a small body may be read just after the body itself.
  if (!this.req.complete) setImmediate(endUnread, this.req)
}

function endUnread(request: IncomingMessage): void {
  if (request.complete) return
  request.resume()
  endWithGrace(request.socket)
}

function settle(work: Promise<void> | void, response: ServerResponse): void {
  if (work !== undefined) work.catch((error: unknown) => answerPlainError(response, error))
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/'
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}

async function answerModels(services: Services, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const dialect = request.headers['anthropic-version'] === undefined ? chatCompletions : messages
  try {
    const snapshot = services.snapshot()
    const caller = await services.authenticator.authenticate(request.headers, snapshot)
    const path = pathOf(request)
    const name = path.startsWith(modelPrefix) ? decodeName(path.slice(modelPrefix.length)) : undefined
    const answer = name === undefined ? listModels(snapshot, caller, dialect.name) : describeModel(snapshot, caller, dialect.name, name)
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  } catch (thrown) {
    const { status, code, message } = asTurnwardError(thrown)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(dialect.errorBody({ status, code, message })))
  }
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new TurnwardError('request.invalid', { subject: 'path', why: 'it is not percent-encoded UTF-8' })
  }
}

async function answerMetrics(services: Services, response: ServerResponse): Promise<void> {
  const text = await services.telemetry.metricsText()
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text)
}

function answerPlainError(response: ServerResponse, thrown: unknown): void {
  const error = asTurnwardError(thrown)
  if (response.destroyed || response.writableEnded) return
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.setHeader('connection', 'close')
  if (error.retryAfterSeconds !== undefined) response.setHeader('retry-after', error.retryAfterSeconds)
  response.writeHead(error.status, { 'content-type': 'application/json' }).end(JSON.stringify({ error: error.toJSON() }))
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'the port is in use' : (cause.code ?? cause.message)
      reject(new TurnwardError('config.invalid', { subject: `listen ${host}:${port}`, why, fix: 'Choose another `listen.port`, or stop what uses it.', cause }))
    })
    server.listen(port, host, () => resolve())
  })
}

function urlOf(server: Server): string {
  const address = server.address()
  if (address === null || typeof address === 'string') return String(address)
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}`
}
