/**
 * One live hop to an MCP server, the same for every transport and era: list, call, end. Three transports provide
 * an `Exchange` (one request, one response); everything about tools is here, once.
 */
import type { CancelSignal } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import type { RpcResponse } from '../codec/json-rpc.ts'
import { rpcCodes } from '../codec/json-rpc.ts'
import { metaKeys, travellingMeta, type Era } from '../codec/versions.ts'
import { unavailable } from './failure.ts'

export interface RequestOptions {
  /** Aborted with the error to throw (deadline) or for a cancelled call; the transport tells the server. */
  readonly signal: CancelSignal
  /** Asks for progress; the transport makes the token, unique on this hop. */
  readonly onProgress?: ((progress: JsonObject) => void) | undefined
  /** Extra HTTP headers of this request (`Mcp-Param-*`). */
  readonly headers?: Record<string, string> | undefined
}

export interface Exchange {
  readonly era: Era
  /** Sends one request and resolves with its response. Rejects with `mcp.*` or `request.cancelled`. */
  request(method: string, params: JsonObject, options: RequestOptions): Promise<RpcResponse>
  /** Resolves with why, when the hop has died. Never rejects. */
  readonly ended: Promise<string>
  close(): Promise<void>
}

export interface CallParameters extends RequestOptions {
  readonly meta: JsonObject | undefined
}

/** Limits of the snapshot that apply to what a server sends. */
export interface ResponseLimits {
  readonly maxResponseBytes: number
  readonly maxEventBytes: number
}

/** What a hop reports besides answers. */
export interface ConnectorEvents {
  /** The server said that its tools changed. */
  readonly onToolsChanged: () => void
}

const maxPages = 100
const maxTools = 10_000

/** All pages of `tools/list`. Throws `mcp.server_unavailable` when the listing is malformed or has no end. */
export async function listTools(exchange: Exchange, server: string, limits: ResponseLimits, signal: CancelSignal): Promise<JsonObject[]> {
  const tools: JsonObject[] = []
  let cursor: string | undefined
  let size = 0
  for (let page = 0; page < maxPages; page += 1) {
    const response = await exchange.request('tools/list', cursor === undefined ? {} : { cursor }, { signal })
    // A server without tools may not implement the method at all.
    if (response.kind === 'error' && response.error.code === rpcCodes.methodNotFound && page === 0) return []
    if (response.kind === 'error') throw unavailable(server, `it answered \`tools/list\` with error ${response.error.code}`)
    const listed = response.result.tools
    if (!Array.isArray(listed)) throw unavailable(server, 'its list of tools is malformed')
    for (const tool of listed) {
      if (!isObject(tool)) throw unavailable(server, 'its list of tools is malformed')
      tools.push(tool)
      size += JSON.stringify(tool).length
    }
    if (tools.length > maxTools || size > limits.maxResponseBytes) throw unavailable(server, 'its list of tools is too large')
    const next = response.result.nextCursor
    if (typeof next !== 'string') return tools
    if (next === cursor) throw unavailable(server, 'its list of tools has no end')
    cursor = next
  }
  throw unavailable(server, 'its list of tools has too many pages')
}

/** One `tools/call`. Resolves with the result as the server wrote it, hop-only fields removed. */
export async function callTool(
  exchange: Exchange,
  server: string,
  name: string,
  args: JsonObject,
  options: CallParameters,
): Promise<JsonObject> {
  const meta = travellingMeta(options.meta)
  const params: JsonObject = meta === undefined ? { name, arguments: args } : { name, arguments: args, _meta: meta }
  const response = await exchange.request('tools/call', params, options)
  if (response.kind === 'error') return errorResult(server, response.error.code, response.error.message)
  return finalResult(server, response.result)
}

function finalResult(server: string, result: JsonObject): JsonObject {
  const { resultType, ...rest } = result
  const { _meta: meta } = rest
  if (resultType === 'input_required')
    throw unavailable(server, 'the tool asks for input from the user or the model, which is not available yet')
  if (resultType === 'task') throw unavailable(server, 'the tool answers with a task, which is not available yet')
  if (resultType !== undefined && resultType !== 'complete') throw unavailable(server, 'the tool answered with an unknown type of result')
  if (!isObject(meta) || !Object.hasOwn(meta, metaKeys.serverInfo)) return rest
  const { [metaKeys.serverInfo]: _server, ...kept } = meta
  if (Object.keys(kept).length > 0) return { ...rest, _meta: kept }
  const { _meta, ...withoutMeta } = rest
  return withoutMeta
}

/** Errors that say the hop is wrong rather than the call. */
const hopErrors = new Map<number, string>([
  [rpcCodes.methodNotFound, 'it does not implement `tools/call`'],
  [rpcCodes.headerMismatch, 'it refused the headers of the call; its tools may have changed'],
  [rpcCodes.missingCapability, 'the tool needs a client capability that is not available yet'],
  [rpcCodes.unsupportedVersion, 'it no longer speaks this protocol version'],
  [-32042, 'the tool asks the user to open a page, which is not available yet'],
])

/**
 * The text of an error is written by the server, so it may only travel as a result, where it is labelled and
 * admitted like any other content (server/tools, "Error Handling": the model can correct itself).
 */
function errorResult(server: string, code: number, message: string): JsonObject {
  const why = hopErrors.get(code)
  if (why !== undefined) throw unavailable(server, why)
  return { content: [{ type: 'text', text: message === '' ? `error ${code}` : message }], isError: true }
}

/** The error an aborted signal stands for. */
export function abortedError(signal: CancelSignal): TurnwardError {
  if (signal.reason instanceof TurnwardError) return signal.reason
  return new TurnwardError(
    signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError' ? 'mcp.server_timeout' : 'request.cancelled',
  )
}

/** A shared promise, but no longer than this caller wants. Rejects with what the signal was aborted for. */
export function waitFor<T>(promise: Promise<T>, signal: CancelSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(abortedError(signal))
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(abortedError(signal))
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
