/** One `tools/call` over a hop: what goes out, and what may come back from it. */
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { capabilityFor, offersOf, readInputRequired, whyNotAsked, type InputRequired } from '../asks.ts'
import type { Resumed } from '../catalogue.ts'
import { rpcCodes, type RpcErrorObject } from '../codec/json-rpc.ts'
import { metaKeys, travellingMeta } from '../codec/versions.ts'
import type { Exchange, RequestOptions } from './exchange.ts'
import { unavailable } from './failure.ts'
import { pagesToOpen } from './pages-to-open.ts'
import { largeBody } from '../large/large-result.ts'
import { appsExtension, offersExtension, tasksExtension } from '../extensions.ts'
import { isTask } from '../tasks.ts'
import { finalResult, shapedResult } from './result-shape.ts'

export interface CallParameters extends RequestOptions {
  readonly meta: JsonObject | undefined
  /** The log messages that are wanted of a server of the modern era. */
  readonly logLevel?: string | undefined
  /** How it goes on, with a server of the modern era. */
  readonly resumed?: Resumed | undefined
  /** What became of pages that the client was asked to open for this request, which is made again. */
  readonly pages?: 'opened' | 'declined' | undefined
}

/** One `tools/call`. Resolves with the result as the server wrote it, hop-only fields removed. */
export async function callTool(
  exchange: Exchange,
  server: string,
  name: string,
  args: JsonObject,
  options: CallParameters,
): Promise<JsonObject> {
  const refused = refusedAnswer(options.resumed)
  if (refused !== undefined)
    return {
      content: [{ type: 'text', text: `not run to its end: what it asked for was answered with an error (${refused})` }],
      isError: true,
    }
  const response = await exchange.request('tools/call', sent(exchange, { name, arguments: args }, options), { ...options, large: 'tool' })
  if (response.kind === 'error') return pagesOf(exchange, server, response.error, options) ?? errorResult(server, response.error)
  const { result } = response
  // Of a large one all this has been done where it was read.
  if (largeBody(result) !== undefined) return result
  if (result.resultType === 'task') return taskOf(server, result, options.offers)
  const asks = asksOf(server, result, options.offers)
  if (asks !== undefined) return asks
  requireFinal(server, result)
  return finalResult(shapedResult(result))
}

/** One request that is no call. Resolves with the result as the server wrote it, hop-only fields removed. */
export async function askServer(
  exchange: Exchange,
  server: string,
  method: string,
  params: JsonObject,
  options: CallParameters,
): Promise<JsonObject> {
  const refused = refusedAnswer(options.resumed)
  if (refused !== undefined)
    throw new TurnwardError('mcp.refused', { subject: server, why: `what it asked for was answered with an error (${refused})` })
  const response = await exchange.request(method, sent(exchange, params, options), { ...options, large: 'other' })
  if (response.kind === 'result') {
    const { result } = response
    if (largeBody(result) !== undefined) return result
    const asks = asksOf(server, result, options.offers)
    if (asks !== undefined) return asks
    requireFinal(server, result)
    return finalResult(result)
  }
  const pages = pagesOf(exchange, server, response.error, options)
  if (pages !== undefined) return pages
  const { code, data } = response.error
  if (code === rpcCodes.missingCapability) throw missingCapability(server, data)
  throw new TurnwardError(notThere.has(code) ? 'mcp.not_found' : 'mcp.refused', {
    subject: server,
    why: `it answered \`${method}\` with error ${code}`,
  })
}

/** How servers say that they have no such resource or prompt: -32002 until 2025-11-25, -32602 since. */
const notThere = new Set<number>([-32002, rpcCodes.invalidParams])

/** Servers of the modern era ask for pages like for everything else. Nobody is asked twice: who has opened the page may need a while there. */
function pagesOf(
  { era }: Exchange,
  server: string,
  error: RpcErrorObject,
  { offers, pages: before }: CallParameters,
): JsonObject | undefined {
  const pages = era === 'legacy' ? pagesToOpen(server, error, offers) : undefined
  if (pages === undefined || before === undefined) return pages
  throw new TurnwardError('mcp.refused', {
    subject: server,
    why:
      before === 'opened'
        ? 'what it wants on the page that was opened is not finished yet'
        : 'a page must be opened first, which was declined',
    fix: before === 'opened' ? 'Finish it there, then make the request again.' : 'Make the request again, and open the page.',
  })
}

/** Parameters as they go out. */
function sent({ era }: Exchange, params: JsonObject, { meta, resumed, logLevel }: CallParameters): JsonObject {
  const own = travellingMeta(meta)
  const travelling = era === 'modern' && logLevel !== undefined ? { ...own, [metaKeys.logLevel]: logLevel } : own
  const responses = [...(resumed?.answers ?? [])].flatMap(([key, answer]) => ('result' in answer ? [[key, answer.result] as const] : []))
  return {
    ...params,
    ...(responses.length === 0 ? {} : { inputResponses: Object.fromEntries(responses) }),
    ...(resumed?.state === undefined ? {} : { requestState: resumed.state }),
    ...(travelling === undefined ? {} : { _meta: travelling }),
  }
}

/** The error that was given for an answer; there is no way to tell a server of it. */
function refusedAnswer(resumed: Resumed | undefined): string | undefined {
  for (const answer of resumed?.answers.values() ?? [])
    if ('error' in answer) return `${answer.error.code}: ${answer.error.message.slice(0, 200)}`
  return undefined
}

/** The result where it asks for input; undefined where it is final. Throws when it asks for what the client does not offer. */
function asksOf(server: string, result: JsonObject, offers: JsonObject = {}): JsonObject | undefined {
  let asked: InputRequired | undefined
  try {
    asked = readInputRequired(result)
  } catch (error) {
    throw unavailable(server, `it asks for input in a way that cannot be read: ${error instanceof RangeError ? error.message : ''}`)
  }
  if (asked === undefined) return undefined
  for (const ask of asked.requests.values()) {
    const why = whyNotAsked(ask, offers)
    if (why !== undefined)
      throw new TurnwardError('mcp.missing_capability', { subject: server, why, details: { requiredCapabilities: capabilityFor(ask) } })
  }
  return result
}

/** A call that ends later. Throws when the client does not know such calls, or the task has no name that can be used. */
function taskOf(server: string, result: JsonObject, offers: JsonObject | undefined): JsonObject {
  if (!offersExtension(offers, tasksExtension))
    throw new TurnwardError('mcp.missing_capability', {
      subject: server,
      why: 'the tool answers with a task',
      details: { requiredCapabilities: { extensions: { [tasksExtension]: {} } } },
    })
  if (!isTask(result)) throw unavailable(server, 'its task cannot be read')
  return result
}

/** Which capability a server wants, as far as it names one of those there are. */
function missingCapability(server: string, data: JsonValue | undefined): TurnwardError {
  const required = isObject(data) && isObject(data.requiredCapabilities) ? data.requiredCapabilities : {}
  // Of what a server wrote, nothing gets into an error but names that are those of the protocol.
  const known = offersOf(required, [tasksExtension, appsExtension])
  const { extensions, ...own } = known
  const names = [...Object.keys(own), ...(isObject(extensions) ? Object.keys(extensions) : [])]
  return new TurnwardError('mcp.missing_capability', {
    subject: server,
    why: names.length === 0 ? undefined : `it needs \`${names.join('`, `')}\``,
    details: { requiredCapabilities: known },
  })
}

/** Throws when the result is of a type that it can not be. */
function requireFinal(server: string, { resultType }: JsonObject): void {
  if (resultType === 'task') throw unavailable(server, 'it answered with a task what can be none')
  if (resultType !== undefined && resultType !== null && resultType !== 'complete')
    throw unavailable(server, 'the tool answered with an unknown type of result')
}

/** Errors that say the hop is wrong rather than the call. */
const hopErrors = new Map<number, string>([
  [rpcCodes.methodNotFound, 'it does not implement `tools/call`'],
  [rpcCodes.headerMismatch, 'it refused the headers of the call; its tools may have changed'],
  [rpcCodes.unsupportedVersion, 'it no longer speaks this protocol version'],
])

/**
 * The text of an error is written by the server, so it may only travel as a result, where it is labelled and
 * admitted like any other content (server/tools, "Error Handling": the model can correct itself).
 */
function errorResult(server: string, { code, message, data }: RpcErrorObject): JsonObject {
  if (code === rpcCodes.missingCapability) throw missingCapability(server, data)
  const why = hopErrors.get(code)
  if (why !== undefined) throw unavailable(server, why)
  return { content: [{ type: 'text', text: message === '' ? `error ${code}` : message }], isError: true }
}
