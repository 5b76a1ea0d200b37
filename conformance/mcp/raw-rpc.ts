/** JSON-RPC to the endpoint without any library, in both protocol eras: for bytes and fields that SDKs hide or drop. */
import type { Json } from '../harness/json.ts'

export interface RpcAnswer {
  readonly status: number
  readonly headers: Headers
  /** The response message; the notifications before it, if the answer was a stream, are in `notifications`. */
  readonly message: Json
  readonly notifications: readonly Json[]
}

export interface RpcTarget {
  readonly url: string
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
}

let ids = 0

/** One POST of any body. Reads JSON and streams alike. */
export async function post(target: RpcTarget, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<RpcAnswer> {
  const response = await fetch(target.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(target.key === undefined ? {} : { authorization: `Bearer ${target.key}` }),
      ...target.headers,
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const text = await response.text()
  const messages = (response.headers.get('content-type') ?? '').startsWith('text/event-stream')
    ? [...text.matchAll(/^data: (.+)$/gm)].map((match) => JSON.parse(match[1] ?? '{}') as Json)
    : text === ''
      ? []
      : [JSON.parse(text) as Json]
  return { status: response.status, headers: response.headers, message: messages.at(-1) ?? {}, notifications: messages.slice(0, -1) }
}

/** A stateless request of 2026-07-28. `client` is what the client calls itself. */
export function modernRequest(target: RpcTarget, method: string, params: Json = {}, client = 'raw-modern'): Promise<RpcAnswer> {
  ids += 1
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: client, version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const body = { jsonrpc: '2.0', id: ids, method, params: { ...params, _meta: { ...meta, ...(params['_meta'] as Json | undefined) } } }
  const name: unknown = params['name']
  return post(target, body, {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
  })
}

export type LegacyRequest = (method: string, params?: Json) => Promise<RpcAnswer>

/** Shakes hands in a legacy version; gives the way to send requests in that session. */
export async function openLegacy(target: RpcTarget, version = '2025-11-25', client = 'raw-legacy'): Promise<LegacyRequest> {
  const opened = await post(target, {
    jsonrpc: '2.0',
    id: 'init',
    method: 'initialize',
    params: { protocolVersion: version, capabilities: {}, clientInfo: { name: client, version: '1.0.0' } },
  })
  const session = opened.headers.get('mcp-session-id')
  if (session === null) throw new Error(`no session: ${opened.status} ${JSON.stringify(opened.message)}`)
  const headers = { 'mcp-session-id': session, 'mcp-protocol-version': version }
  await post(target, { jsonrpc: '2.0', method: 'notifications/initialized' }, headers)
  return (method, params = {}) => {
    ids += 1
    return post(target, { jsonrpc: '2.0', id: ids, method, params }, headers)
  }
}
