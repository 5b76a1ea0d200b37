/** One table from method and path to the floor that answers. Knows nothing of either floor but their entrances. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import { describeModel, listModels } from '../models/listing-models.ts'
import { OfferedModels } from '../models/offered-models.ts'
import { countTokens } from '../turns/counting-tokens.ts'
import { runModelCall } from '../turns/model-call.ts'
import { httpOrigin } from '../turns/origins/http-origin.ts'
import type { Services } from '../turns/services.ts'
import { chatCompletions } from '../wire/dialects/chat-completions/chat-completions.ts'
import { messages } from '../wire/dialects/messages/messages.ts'
import { answerHealth, answerReadiness } from './health.ts'
import { answerPlainError, pathOf, speaksAnthropic } from './plain-errors.ts'

export type McpEndpoint = (request: IncomingMessage, response: ServerResponse, gateway: string) => Promise<void>

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void

interface Entrance {
  readonly method: string
  readonly handle: Handler
}

/** `/v1/models/{name}`. */
const modelPrefix = '/v1/models/'

/** Answers one request, whatever it asks for. Never throws. */
export function createDispatch(
  services: Services,
  mcp: McpEndpoint,
  stale: () => string | undefined,
  isDraining: () => boolean,
): (request: IncomingMessage, response: ServerResponse) => void {
  const offered = new OfferedModels(services.upstreams, services.clock, services.telemetry.logger)
  const entrances: ReadonlyMap<string, Entrance> = new Map<string, Entrance>([
    [
      '/v1/chat/completions',
      { method: 'POST', handle: (request, response) => runModelCall(services, httpOrigin(request, response), chatCompletions) },
    ],
    ['/v1/messages', { method: 'POST', handle: (request, response) => runModelCall(services, httpOrigin(request, response), messages) }],
    [
      '/v1/messages/count_tokens',
      { method: 'POST', handle: (request, response) => countTokens(services, httpOrigin(request, response), messages) },
    ],
    ['/v1/models', { method: 'GET', handle: (request, response) => answerModels(services, offered, request, response) }],
    [modelPrefix, { method: 'GET', handle: (request, response) => answerModels(services, offered, request, response) }],
    ['/healthz', { method: 'GET', handle: (_request, response) => answerHealth(services, response) }],
    ['/readyz', { method: 'GET', handle: (_request, response) => answerReadiness(services, response, stale(), isDraining()) }],
    ['/metrics', { method: 'GET', handle: (_request, response) => answerMetrics(services, response) }],
  ])

  const begin = (request: IncomingMessage, response: ServerResponse): Promise<void> | void => {
    const path = pathOf(request)
    const isProbe = path === '/healthz' || path === '/readyz' || path === '/metrics'
    if (isDraining() && !isProbe) throw new TurnwardError('gateway.draining', { retryAfterSeconds: 1 })
    // RFC 9112, section 3.2.
    if (request.httpVersion === '1.1' && request.headers.host === undefined)
      throw new TurnwardError('request.invalid', { subject: 'host', why: 'HTTP/1.1 needs this header' })
    const entrance = entrances.get(path) ?? (path.startsWith(modelPrefix) ? entrances.get(modelPrefix) : undefined)
    if (entrance !== undefined) {
      if (request.method === entrance.method) return entrance.handle(request, response)
      response.setHeader('allow', entrance.method)
      throw new TurnwardError('request.method', { subject: `${request.method} ${path}` })
    }
    const gateway = /^\/mcp\/([^/]{1,64})$/.exec(path)?.[1]
    if (gateway === undefined) throw new TurnwardError('request.not_found', { subject: path.slice(0, 200) })
    return mcp(request, response, gateway)
  }
  return (request, response) => {
    try {
      begin(request, response)?.catch((error: unknown) => answerPlainError(request, response, error))
    } catch (error) {
      answerPlainError(request, response, error)
    }
  }
}

async function answerModels(services: Services, offered: OfferedModels, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const dialect = speaksAnthropic(request) ? messages : chatCompletions
  try {
    const snapshot = services.snapshot()
    const caller = await services.authenticator.authenticate(request.headers, snapshot)
    const path = pathOf(request)
    const name = path.startsWith(modelPrefix) ? decodeName(path.slice(modelPrefix.length)) : undefined
    const answer =
      name === undefined ? await listModels(offered, snapshot, caller, dialect.name) : describeModel(snapshot, caller, dialect.name, name)
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
