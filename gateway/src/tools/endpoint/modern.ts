/**
 * The modern era on our side (2026-07-28): every POST stands alone, nothing is remembered between two of them,
 * and a client that goes away has cancelled.
 */
import { Cancellation } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { resultText, rpcCodes, type RpcErrorObject, type RpcRequest } from '../codec/json-rpc.ts'
import { decodeHeaderValue } from '../codec/header-values.ts'
import { errorAnswer, errorText, methodNotFound, rpcErrorOf } from '../codec/rpc-errors.ts'
import { metaKeys, modernVersion, supportedVersions } from '../codec/versions.ts'
import { implementation } from '../connectors/opening.ts'
import type { McpContext } from '../operations.ts'
import { clientOf } from './client-info.ts'
import { methodOf } from './methods.ts'
import type { Arrival, EndpointParts } from './parts.ts'
import { Reply } from './reply.ts'
import { accepts, single } from './post-headers.ts'

/** Answers one modern request, whatever is wrong with it. */
export async function answerModern(parts: EndpointParts, arrival: Arrival, request: RpcRequest): Promise<void> {
  const { req, res } = arrival
  const keepAliveMs = accepts(req, 'text/event-stream') ? arrival.snapshot.settings.turns.keep_alive_ms : undefined
  const reply = new Reply(res, keepAliveMs)
  const refused = checkEnvelope(arrival, request)
  if (refused !== undefined) return reply.end(errorText(request.id, refused.error), refused.status)
  const context = contextOf(arrival, request)
  const gone = new Cancellation()
  res.once('close', () => {
    if (!res.writableEnded) gone.cancel(new TurnwardError('request.cancelled'))
  })
  try {
    parts.operations.openGateway(context)
    const method = methodOf('modern', request.method)
    if (method === undefined) return reply.end(errorText(request.id, methodNotFound), 404)
    const result = await method({ parts, arrival, context, request, signal: gone, reply })
    if (result !== undefined) reply.end(resultText(request.id, complete(result)))
  } catch (error) {
    const answer = errorAnswer(parts.logger, request.id, error)
    reply.end(answer.text, answer.status)
  }
}

/** Marks a result as final and says who answers (basic/index, "ResultType"). What the upstream wrote in `_meta` stays. */
function complete(result: JsonObject): JsonObject {
  const meta = isObject(result._meta) ? result._meta : {}
  return { ...result, resultType: 'complete', _meta: { ...meta, [metaKeys.serverInfo]: implementation } }
}

interface Refused {
  readonly error: RpcErrorObject
  readonly status: number
}

/** Version, `_meta` and mirrored headers, in the order of the specification: a request is answered by its first fault. */
function checkEnvelope({ req }: Arrival, request: RpcRequest): Refused | undefined {
  const meta = isObject(request.params._meta) ? request.params._meta : {}
  const version = meta[metaKeys.protocolVersion]
  const header = single(req.headers['mcp-protocol-version'])
  if (typeof version !== 'string')
    return { status: 400, error: { code: rpcCodes.invalidParams, message: `\`_meta\` must have \`${metaKeys.protocolVersion}\`` } }
  if (header !== undefined && header !== version) return mismatch('`MCP-Protocol-Version` and the body disagree')
  if (version !== modernVersion) {
    const requested = version.slice(0, 64)
    return {
      status: 400,
      error: {
        code: rpcCodes.unsupportedVersion,
        message: 'Unsupported protocol version',
        data: { supported: [...supportedVersions], requested },
      },
    }
  }
  if (!isObject(meta[metaKeys.clientCapabilities]))
    return { status: 400, error: { code: rpcCodes.invalidParams, message: `\`_meta\` must have \`${metaKeys.clientCapabilities}\`` } }
  const info = meta[metaKeys.clientInfo]
  if (info !== undefined && !isObject(info))
    return { status: 400, error: { code: rpcCodes.invalidParams, message: `\`${metaKeys.clientInfo}\` must be an object` } }
  if (header === undefined) return mismatch('`MCP-Protocol-Version` is missing')
  const method = single(req.headers['mcp-method'])
  if (method === undefined) return mismatch('`Mcp-Method` is missing')
  if (method !== request.method) return mismatch('`Mcp-Method` and the body disagree')
  return checkName(single(req.headers['mcp-name']), request)
}

/** Which parameter `Mcp-Name` mirrors (streamable-http, "Standard Request Headers"). */
const nameSources = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
])

function checkName(header: string | undefined, request: RpcRequest): Refused | undefined {
  const source = nameSources.get(request.method)
  const value = source === undefined ? undefined : request.params[source]
  if (typeof value !== 'string') return undefined
  if (header === undefined) return mismatch('`Mcp-Name` is missing')
  const decoded = decodeHeaderValue(header)
  if (decoded === undefined) return mismatch('`Mcp-Name` is not validly encoded')
  return decoded === value ? undefined : mismatch('`Mcp-Name` and the body disagree')
}

function mismatch(why: string): Refused {
  return { status: 400, error: rpcErrorOf(new TurnwardError('mcp.header_mismatch', { why })) }
}

function contextOf({ req, caller, snapshot, gateway }: Arrival, request: RpcRequest): McpContext {
  const meta = request.params._meta as JsonObject
  return { caller, snapshot, gateway, client: clientOf(meta[metaKeys.clientInfo]), protocolVersion: modernVersion, headers: req.headers }
}
