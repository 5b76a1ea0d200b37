/**
 * JSON-RPC 2.0 messages as MCP uses them: read once into a closed set of kinds, written back with every
 * unknown field still in place. Knows nothing of eras or transports; never throws on what a peer sent.
 */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'

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

/** Without an id when it had none that can be read. */
export type RpcResponse =
  | { readonly kind: 'result'; readonly id: RpcId | undefined; readonly result: JsonObject }
  | { readonly kind: 'error'; readonly id: RpcId | undefined; readonly error: RpcErrorObject }

/** `id`: the request that what cannot be read was to answer. */
export type RpcMessage =
  | RpcRequest
  | RpcNotification
  | RpcResponse
  | { readonly kind: 'invalid'; readonly why: string; readonly id?: RpcId | undefined }

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
  const { method, error, result } = value
  const id = readId(value.id)
  if (value.jsonrpc !== '2.0') return { kind: 'invalid', why: '`jsonrpc` must be "2.0"', id: method === undefined ? id : undefined }
  if (method !== undefined) return readCall(value, method)
  if (isObject(error)) return readError(id, error)
  if (typeof error === 'string') return { kind: 'error', id, error: { code: rpcCodes.internalError, message: error } }
  if (isObject(result)) return { kind: 'result', id, result }
  if (result !== undefined) return { kind: 'invalid', why: '`result` must be an object', id }
  return { kind: 'invalid', why: 'a message needs a `method`, or an `id` with a `result` or an `error`', id }
}

/** What is null is not there: many languages write an option that is not set so. */
function readCall(value: JsonObject, method: JsonValue): RpcMessage {
  if (typeof method !== 'string' || method.length === 0 || method.length > longestName)
    return { kind: 'invalid', why: '`method` must be a string' }
  const { params } = value
  const isNotification = !Object.hasOwn(value, 'id') || (value.id === null && method.startsWith('notifications/'))
  // Nobody answers a notification, so what it says counts, however it says the rest.
  if (isNotification) return { kind: 'notification', method, params: isObject(params) ? params : {} }
  if (params !== undefined && params !== null && !isObject(params)) return { kind: 'invalid', why: '`params` must be an object' }
  const id = readId(value.id)
  if (id === undefined) return { kind: 'invalid', why: '`id` must be a string or an integer' }
  return { kind: 'request', id, method, params: params ?? {} }
}

function readError(id: RpcId | undefined, error: JsonObject): RpcMessage {
  const { code, message, data } = error
  // A code that is no number is none of the protocol; the error is one all the same.
  return {
    kind: 'error',
    id,
    error: { code: typeof code === 'number' ? code : rpcCodes.internalError, message: typeof message === 'string' ? message : '', data },
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

/** Whether a response or a token is for our request: our ids are integers, which some servers send back as text. */
export function isOurs(id: number, answered: JsonValue | undefined): boolean {
  return answered === id || answered === String(id)
}

/** One key for an id: `1` and `"1"` are different ids. */
export function idKey(id: RpcId): string {
  return typeof id === 'number' ? `n${id}` : `s${id}`
}
