/**
 * A hop of the modern era over HTTP (2026-07-28, streamable-http): every request stands alone, closing its
 * stream cancels it, one long `subscriptions/listen` stream tells of changed tools.
 */
import type { JsonObject } from '../../core/json.ts'
import { requestText, type RpcMessage, type RpcResponse } from '../codec/json-rpc.ts'
import { encodeHeaderValue } from '../codec/header-values.ts'
import { modernVersion } from '../codec/versions.ts'
import { type ConnectorEvents, type Exchange, type RequestOptions } from './connector.ts'
import { discard, refusedByStatus, type HttpWire } from './http-wire.ts'
import { modernMeta } from './opening.ts'
import { StreamKeeper } from './stream-keeper.ts'

/** Posts one modern request and reads its answer, whatever its status. Used for probing as well. */
export async function modernRequest(wire: HttpWire, id: number, method: string, params: JsonObject, options: RequestOptions, onMessage: (message: RpcMessage) => void = () => {}): Promise<RpcResponse> {
  const name = typeof params['name'] === 'string' ? { 'mcp-name': encodeHeaderValue(params['name']) } : {}
  const meta = modernMeta(params, modernVersion)
  const body = { ...params, _meta: options.onProgress === undefined ? meta : { ...meta, progressToken: id } }
  const headers = { 'mcp-protocol-version': modernVersion, 'mcp-method': method, ...name, ...options.headers }
  const answer = await wire.send('POST', requestText(id, method, body), headers, options.signal)
  const refused = refusedByStatus(wire.server, answer.statusCode)
  if (refused !== undefined) {
    discard(answer)
    throw refused
  }
  return wire.readResponse(answer, id, options.signal, (message) => {
    if (message.kind === 'notification' && message.method === 'notifications/progress' && message.params['progressToken'] === id) options.onProgress?.(message.params)
    else onMessage(message)
  })
}

/** Opens a hop to a server known to be modern. Owns the wire. */
export function openModernHttp(wire: HttpWire, events: ConnectorEvents): Exchange {
  let next = 1
  const listening = new StreamKeeper(async (signal, opened) => {
    const ignore = (message: RpcMessage): void => {
      opened()
      if (message.kind === 'notification' && message.method === 'notifications/tools/list_changed') events.onToolsChanged()
    }
    const response = await modernRequest(wire, next++, 'subscriptions/listen', { notifications: { toolsListChanged: true } }, { signal }, ignore)
    // An error means that the server has no such stream; a result, that it ended it and may open another.
    return response.kind === 'result'
  })
  const never = new Promise<string>(() => {})
  return {
    era: 'modern',
    ended: never,
    request: (method, params, options) => modernRequest(wire, next++, method, params, options),
    async close() {
      listening.close()
      await wire.close()
    },
  }
}
