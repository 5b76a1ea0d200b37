/** Every JSON-RPC error this gateway writes: which code, and whether it ends the HTTP request or answers inside it. */
import type { ErrorCodeName } from '@turnward/contract/error-codes'
import { asTurnwardError, type TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Logger } from '../../core/logger.ts'
import { rpcCodes, type RpcErrorObject, type RpcId, type RpcRequest } from './json-rpc.ts'

const codes: Partial<Record<ErrorCodeName, number>> = {
  'grant.tool': rpcCodes.invalidParams,
  'grant.gateway': rpcCodes.invalidParams,
  'grant.resource': rpcCodes.invalidParams,
  'grant.prompt': rpcCodes.invalidParams,
  'mcp.not_found': rpcCodes.invalidParams,
  'mcp.not_allowed': rpcCodes.invalidRequest,
  'mcp.tool_held': rpcCodes.invalidRequest,
  'request.invalid': rpcCodes.invalidParams,
  'request.malformed': rpcCodes.parseError,
  'request.ambiguous_key': rpcCodes.invalidRequest,
  'request.too_deep': rpcCodes.invalidRequest,
  'request.too_large': rpcCodes.invalidRequest,
  'request.content_encoding': rpcCodes.invalidRequest,
  'request.timeout': rpcCodes.invalidRequest,
  'request.method': rpcCodes.invalidRequest,
  'request.host': rpcCodes.invalidRequest,
  'request.unsupported': rpcCodes.invalidRequest,
  'mcp.session': rpcCodes.invalidRequest,
  'mcp.protocol_version': rpcCodes.unsupportedVersion,
  'mcp.header_mismatch': rpcCodes.headerMismatch,
  'mcp.missing_capability': rpcCodes.missingCapability,
  'auth.missing_key': rpcCodes.invalidRequest,
  'auth.unknown_key': rpcCodes.invalidRequest,
  'auth.expired_key': rpcCodes.invalidRequest,
  'auth.revoked_key': rpcCodes.invalidRequest,
}

/** The JSON-RPC error: `data` is the coded error, so a client can act on `data.code`. */
export function rpcErrorOf(error: TurnwardError): RpcErrorObject {
  const message = error.code === 'grant.tool' ? `Unknown tool${error.subject === undefined ? '' : `: ${error.subject}`}` : error.message
  return { code: codes[error.code] ?? rpcCodes.internalError, message, data: { ...error.details, ...error.toJSON() } as JsonObject }
}

/**
 * Errors of the work itself answer with HTTP 200: the exchange succeeded, the call did not, and legacy clients
 * read 404 as a lost session. Errors of the transport, identity and gateway keep their status.
 */
export function httpStatusOf(error: TurnwardError): number {
  const room = error.code.slice(0, error.code.indexOf('.'))
  if (room === 'auth' || room === 'request' || room === 'stop' || error.code === 'grant.gateway' || error.code === 'gateway.draining')
    return error.status
  return ofTheProtocol.has(error.code) ? error.status : 200
}

const ofTheProtocol: ReadonlySet<ErrorCodeName> = new Set([
  'mcp.session',
  'mcp.protocol_version',
  'mcp.header_mismatch',
  'mcp.missing_capability',
])

export const methodNotFound: RpcErrorObject = { code: rpcCodes.methodNotFound, message: 'Method not found' }

/** For a message that is none of the protocol. */
export function invalidRequest(why: string): RpcErrorObject {
  return { code: rpcCodes.invalidRequest, message: why }
}

/** Without an id when the request could not be read (basic/index, "Error Responses"). */
export function errorText(id: RpcId | undefined, error: RpcErrorObject): string {
  return JSON.stringify(id === undefined ? { jsonrpc: '2.0', error } : { jsonrpc: '2.0', id, error })
}

/** The answer to a request that failed; a failure of our own is logged. */
export function errorAnswer(
  logger: Logger,
  { id, method, params }: RpcRequest,
  error: unknown,
): { readonly text: string; readonly status: number } {
  const failure = asTurnwardError(error)
  if (failure.code === 'gateway.internal') logger.error({ error: failure.cause }, 'MCP request failed')
  const rpc = rpcErrorOf(failure)
  // A client that reads many tells by it which one is not there (server/resources, "Error Handling").
  const data = method === 'resources/read' && typeof params.uri === 'string' ? { ...(rpc.data as JsonObject), uri: params.uri } : rpc.data
  return { text: errorText(id, { ...rpc, data }), status: httpStatusOf(failure) }
}
