/**
 * JSON-RPC 2.0 messages as MCP uses them: read once into a closed set of kinds, written back with every
 * unknown field still in place. Knows nothing of eras or transports; never throws on what a peer sent.
 */
import { isObject, isRawJSON, type JsonObject, type JsonValue } from '../../core/json.ts'

export type RpcId = string | number

export interface RpcErrorObject {
  readonly code: number
  readonly message: string
  readonly data?: JsonValue | undefined
}

export interface RpcRequest {
  readonly kind: 'request'
  readonly id: RpcId
  readonly method: string
  readonly params: JsonObject
}

export interface RpcNotification {
  readonly kind: 'notification'
  readonly method: string
  readonly params: JsonObject
}

export type RpcResponse =
  | { readonly kind: 'result'; readonly id: RpcId; readonly result: JsonObject }
  | { readonly kind: 'error'; readonly id: RpcId | undefined; readonly error: RpcErrorObject }

export type RpcMessage = RpcRequest | RpcNotification | RpcResponse | { readonly kind: 'invalid'; readonly why: string }

/** Standard and MCP error codes (basic/index, "Error Codes"). */
export const rpcCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
} as const

/** Longest id and method we keep in memory for a message. */
const longestName = 512

/** Classifies one parsed message. Ids are strings or integers, never null (basic/index, "Requests"). */
export function readMessage(value: unknown): RpcMessage {
  if (!isObject(value)) return { kind: 'invalid', why: 'a message must be a JSON object' }
  if (value.jsonrpc !== '2.0') return { kind: 'invalid', why: '`jsonrpc` must be "2.0"' }
  const method = value.method
  if (method !== undefined) return readCall(value, method)
  if (isObject(value.error)) return readError(value, value.error)
  const id = readId(value.id)
  if (id === undefined) return { kind: 'invalid', why: 'a message needs a `method`, or an `id` with a `result` or an `error`' }
  if (!isObject(value.result)) return { kind: 'invalid', why: '`result` must be an object' }
  return { kind: 'result', id, result: value.result }
}

function readCall(value: JsonObject, method: JsonValue): RpcMessage {
  if (typeof method !== 'string' || method.length === 0 || method.length > longestName)
    return { kind: 'invalid', why: '`method` must be a string' }
  const params = value.params
  if (params !== undefined && !isObject(params)) return { kind: 'invalid', why: '`params` must be an object' }
  if (!Object.hasOwn(value, 'id')) return { kind: 'notification', method, params: params ?? {} }
  const id = readId(value.id)
  if (id === undefined) return { kind: 'invalid', why: '`id` must be a string or an integer' }
  return { kind: 'request', id, method, params: params ?? {} }
}

function readError(value: JsonObject, error: JsonObject): RpcMessage {
  // A code no double holds is none of the protocol; the error is one all the same.
  const code = isRawJSON(error.code) ? rpcCodes.internalError : error.code
  if (typeof code !== 'number') return { kind: 'invalid', why: '`error.code` must be a number' }
  const message = error.message
  return {
    kind: 'error',
    id: readId(value.id),
    error: { code, message: typeof message === 'string' ? message : '', data: error.data },
  }
}

/** A usable id, or undefined. */
export function readId(id: unknown): RpcId | undefined {
  if (typeof id === 'string') return id.length <= longestName ? id : undefined
  return typeof id === 'number' && Number.isSafeInteger(id) ? id : undefined
}

export function requestText(id: RpcId, method: string, params: JsonObject): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params })
}

export function notificationText(method: string, params?: JsonObject): string {
  return JSON.stringify(params === undefined ? { jsonrpc: '2.0', method } : { jsonrpc: '2.0', method, params })
}

export function resultText(id: RpcId, result: JsonObject): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result })
}

/** Without an id when the request could not be read (basic/index, "Error Responses"). */
export function errorText(id: RpcId | undefined, error: RpcErrorObject): string {
  return JSON.stringify(id === undefined ? { jsonrpc: '2.0', error } : { jsonrpc: '2.0', id, error })
}

/** One key for an id: `1` and `"1"` are different ids. */
export function idKey(id: RpcId): string {
  return typeof id === 'number' ? `n${id}` : `s${id}`
}
