/** The first messages of a hop: `initialize` of the legacy era, `_meta` and `server/discover` of the modern one. */
import { isObject, type JsonObject } from '../../core/json.ts'
import { resultText, rpcCodes, type RpcNotification, type RpcRequest, type RpcResponse } from '../codec/json-rpc.ts'
import { errorText, methodNotFound } from '../codec/rpc-errors.ts'
import { latestLegacyVersion, legacyVersions, metaKeys, modernVersion, type Era } from '../codec/versions.ts'
import { kindOfAsk } from '../asks.ts'
import type { ConnectorEvents, Exchange, RequestOptions } from './exchange.ts'
import { unavailable } from './failure.ts'

export const implementation: JsonObject = { name: 'turnward', version: '0.1.0' }

/** `_meta` of a modern request: ours on top of what travels (basic/index, "_meta"). `offers`: what its client can be asked for. */
export function modernMeta(params: JsonObject, version: string, offers: JsonObject = {}): JsonObject {
  const meta = isObject(params._meta) ? params._meta : {}
  return { ...meta, [metaKeys.protocolVersion]: version, [metaKeys.clientInfo]: implementation, [metaKeys.clientCapabilities]: offers }
}

/** What a server says of itself when it is opened. */
export interface Opened {
  readonly version: string
  readonly capabilities: JsonObject
}

/** The legacy handshake up to the server's answer. `offers`: what clients behind us can be asked for. */
export async function initialize(
  exchange: Pick<Exchange, 'request'>,
  server: string,
  offers: JsonObject,
  signal: AbortSignal,
): Promise<Opened> {
  const response = await exchange.request(
    'initialize',
    { protocolVersion: latestLegacyVersion, capabilities: offers, clientInfo: implementation },
    { signal },
  )
  if (response.kind === 'error') throw unavailable(server, `it answered \`initialize\` with error ${response.error.code}`)
  const { protocolVersion: version, capabilities } = response.result
  if (typeof version !== 'string' || !legacyVersions.includes(version))
    throw unavailable(server, 'it wants a protocol version that is not supported')
  return { version, capabilities: isObject(capabilities) ? capabilities : {} }
}

const discoverMs = 10_000

/** What a modern server can do. One that does not say has tools. */
export async function discover(exchange: Pick<Exchange, 'request'>, signal: AbortSignal): Promise<JsonObject> {
  try {
    const response = await exchange.request('server/discover', {}, { signal: AbortSignal.any([signal, AbortSignal.timeout(discoverMs)]) })
    if (response.kind === 'result' && isObject(response.result.capabilities)) return response.result.capabilities
  } catch (error) {
    if (signal.aborted) throw error
  }
  return { tools: {} }
}

/** As `discover`, of a server that has to show that it is modern. Throws `mcp.server_unavailable` when it does not. */
export async function proved(exchange: Pick<Exchange, 'request'>, server: string, signal: AbortSignal): Promise<JsonObject> {
  const response = await exchange.request('server/discover', {}, { signal: AbortSignal.any([signal, AbortSignal.timeout(discoverMs)]) })
  if (eraOfProbe(response) !== 'modern') throw unavailable(server, 'it speaks the modern protocol no longer')
  return response.kind === 'result' && isObject(response.result.capabilities) ? response.result.capabilities : { tools: {} }
}

const listChanges: ReadonlySet<string> = new Set([
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
])

/** Takes what a server tells of by itself. */
export function takeNotification({ method, params }: Pick<RpcNotification, 'method' | 'params'>, events: ConnectorEvents): void {
  if (listChanges.has(method)) events.onListChanged()
  if (method === 'notifications/resources/updated' && typeof params.uri === 'string') events.onResourceUpdated?.(params.uri)
}

/** Asks a legacy server to tell of changes of these resources, and no longer of others. Returns what it is asked for now. */
export function subscribeTo(
  exchange: Pick<Exchange, 'request' | 'capabilities'>,
  before: ReadonlySet<string>,
  uris: readonly string[],
): ReadonlySet<string> {
  const { resources } = exchange.capabilities
  if (!isObject(resources) || resources.subscribe !== true) return before
  const wanted = new Set(uris)
  const ask = (method: string, uri: string): void => {
    exchange.request(method, { uri }, { signal: AbortSignal.timeout(30_000) }).catch(() => {})
  }
  for (const uri of wanted) if (!before.has(uri)) ask('resources/subscribe', uri)
  for (const uri of before) if (!wanted.has(uri)) ask('resources/unsubscribe', uri)
  return wanted
}

/** What is asked of a modern server to be told. */
export function wantedChanges(capabilities: JsonObject, watched: readonly string[] = []): JsonObject {
  const has = (name: string): boolean => isObject(capabilities[name])
  return {
    toolsListChanged: true,
    ...(has('prompts') ? { promptsListChanged: true } : {}),
    ...(has('resources') ? { resourcesListChanged: true } : {}),
    ...(has('resources') && watched.length > 0 ? { resourceSubscriptions: [...watched] } : {}),
  }
}

/** The era a `server/discover` answer proves; undefined when it proves nothing modern (basic/versioning, "Backward Compatibility"). */
export function eraOfProbe(response: RpcResponse): Era | undefined {
  const versions =
    response.kind === 'result'
      ? response.result.supportedVersions
      : isObject(response.error.data)
        ? response.error.data.supported
        : undefined
  if (response.kind === 'error' && (response.error.code === rpcCodes.headerMismatch || response.error.code === rpcCodes.missingCapability))
    return 'modern'
  if (response.kind === 'error' && response.error.code !== rpcCodes.unsupportedVersion) return undefined
  return Array.isArray(versions) && versions.includes(modernVersion) ? 'modern' : undefined
}

/** Asks a modern stdio server to tell of changes; best effort, a server may not implement it. */
export function listenToChanges(
  exchange: Pick<Exchange, 'request' | 'capabilities'>,
  listening: AbortSignal,
  watched: readonly string[] = [],
): void {
  const notifications = wantedChanges(exchange.capabilities, watched)
  exchange.request('subscriptions/listen', { notifications }, { signal: listening }).catch(() => {})
}

/**
 * Answers what a server asks. `request`: the one it works on, where that is known; what it asks at other times is asked of
 * nobody, and we have no folders of our own.
 */
export async function answerToServer(
  { id, method, params }: RpcRequest,
  request: Pick<RequestOptions, 'onAsk'> | undefined,
): Promise<string> {
  if (method === 'ping') return resultText(id, {})
  if (request?.onAsk !== undefined && kindOfAsk({ method, params }) !== undefined) {
    const answer = await request.onAsk({ method, params })
    return 'result' in answer ? resultText(id, answer.result) : errorText(id, answer.error)
  }
  return method === 'roots/list' ? resultText(id, { roots: [] }) : errorText(id, methodNotFound)
}
