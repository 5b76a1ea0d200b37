/** One `tools/call` over a hop: what goes out, and what may come back from it. */
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { rpcCodes } from '../codec/json-rpc.ts'
import { metaKeys, travellingMeta } from '../codec/versions.ts'
import type { Exchange, RequestOptions } from './exchange.ts'
import { unavailable } from './failure.ts'
import { shapedResult } from './result-shape.ts'

export interface CallParameters extends RequestOptions {
  readonly meta: JsonObject | undefined
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
  return finalResult(server, shapedResult(response.result))
}

/** One request that is no call. Resolves with the result as the server wrote it, hop-only fields removed. */
export async function askServer(
  exchange: Exchange,
  server: string,
  method: string,
  params: JsonObject,
  options: CallParameters,
): Promise<JsonObject> {
  const meta = travellingMeta(options.meta)
  const response = await exchange.request(method, meta === undefined ? params : { ...params, _meta: meta }, options)
  if (response.kind === 'result') return finalResult(server, response.result)
  const { code } = response.error
  throw new TurnwardError(notThere.has(code) ? 'mcp.not_found' : 'mcp.refused', {
    subject: server,
    why: `it answered \`${method}\` with error ${code}`,
  })
}

/** How servers say that they have no such resource or prompt: -32002 until 2025-11-25, -32602 since. */
const notThere = new Set<number>([-32002, rpcCodes.invalidParams])

function finalResult(server: string, result: JsonObject): JsonObject {
  const { resultType, ...rest } = result
  const { _meta: meta } = rest
  if (resultType === 'input_required')
    throw unavailable(server, 'the tool asks for input from the user or the model, which is not available yet')
  if (resultType === 'task') throw unavailable(server, 'the tool answers with a task, which is not available yet')
  if (resultType !== undefined && resultType !== null && resultType !== 'complete')
    throw unavailable(server, 'the tool answered with an unknown type of result')
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
