/**
 * A hop of the modern era over HTTP (2026-07-28, streamable-http): every request stands alone, closing its
 * stream cancels it, one long `subscriptions/listen` stream tells of changed lists.
 */
import type { JsonObject } from '../../core/json.ts'
import { isOurs, requestText, type RpcMessage, type RpcResponse } from '../codec/json-rpc.ts'
import { encodeHeaderValue } from '../codec/header-values.ts'
import { modernVersion } from '../codec/versions.ts'
import type { ConnectorEvents, Exchange, RequestOptions } from './exchange.ts'
import { refusedByStatus, type HttpWire } from './http-wire.ts'
import { modernMeta, takeNotification, wantedChanges } from './opening.ts'
import { StreamKeeper } from './stream-keeper.ts'

/** Posts one modern request and reads its answer, whatever its status. Used for probing as well. */
export async function modernRequest(
  wire: HttpWire,
  id: number,
  method: string,
  params: JsonObject,
  options: RequestOptions,
  onMessage: (message: RpcMessage) => void = () => {},
): Promise<RpcResponse> {
  const answer = await wire.post(requestOf(id, method, params, options), headersOf(method, params, options), options.signal)
  const refused = refusedByStatus(wire.server, answer.statusCode)
  if (refused !== undefined) {
    answer.discard()
    throw refused
  }
  const take = (message: RpcMessage): void => {
    if (message.kind === 'notification' && message.method === 'notifications/progress' && isOurs(id, message.params.progressToken))
      options.onProgress?.(message.params)
    else if (message.kind === 'notification' && message.method === 'notifications/message') options.onLog?.(message.params)
    else onMessage(message)
  }
  return wire.readResponse(answer, id, take, options)
}

/** `_meta` of every request that adds nothing of its own, written once. */
const plainMeta = JSON.stringify(modernMeta({}, modernVersion))

function requestOf(id: number, method: string, params: JsonObject, { onProgress, offers }: RequestOptions): string {
  if (onProgress === undefined && params._meta === undefined && offers === undefined) {
    const rest = JSON.stringify(params).slice(1, -1)
    return `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":{${rest}${rest === '' ? '' : ','}"_meta":${plainMeta}}}`
  }
  const meta = modernMeta(params, modernVersion, offers)
  return requestText(id, method, { ...params, _meta: onProgress === undefined ? meta : { ...meta, progressToken: id } })
}

function headersOf(method: string, params: JsonObject, { headers }: RequestOptions): Record<string, string> {
  const all: Record<string, string> = { 'mcp-protocol-version': modernVersion, 'mcp-method': method }
  const name = params.name ?? params.uri ?? params.taskId
  if (typeof name === 'string') all['mcp-name'] = encodeHeaderValue(name)
  return headers === undefined ? all : { ...all, ...headers }
}

/** Opens a hop to a server known to be modern. Owns the wire. `capabilities`: what it says it can do. */
export function openModernHttp(wire: HttpWire, events: ConnectorEvents, capabilities: JsonObject): Exchange {
  let next = 1
  const listen = (watched: readonly string[], isOpen: () => void): StreamKeeper =>
    new StreamKeeper(async (closing, opened) => {
      const take = (message: RpcMessage): void => {
        opened()
        isOpen()
        if (message.kind === 'notification') takeNotification(message, events)
      }
      const response = await modernRequest(
        wire,
        next++,
        'subscriptions/listen',
        { notifications: wantedChanges(capabilities, watched) },
        { signal: closing },
        take,
      )
      // An error means that the server has no such stream; a result, that it ended it and may open another.
      return response.kind === 'result'
    })
  let listening = listen([], () => {})
  const never = new Promise<string>(() => {})
  return {
    era: 'modern',
    version: modernVersion,
    capabilities,
    ended: never,
    watch(uris) {
      const before = listening
      // The one before goes when the new one is there, so that nothing is missed.
      listening = listen(uris, () => before.close())
    },
    request: (method, params, options) => modernRequest(wire, next++, method, params, options),
    async close() {
      listening.close()
      await wire.close()
    },
  }
}
