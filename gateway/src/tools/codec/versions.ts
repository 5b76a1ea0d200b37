/** Protocol versions, eras and reserved `_meta` keys. The only place where a version date is written down. */
import type { JsonObject, JsonValue } from '../../core/json.ts'

/** Modern: version and capabilities ride in every request. Legacy: an `initialize` handshake and, over HTTP, a session. */
export type Era = 'modern' | 'legacy'

export const modernVersion = '2026-07-28'

/** Legacy versions we serve and speak, newest first. */
export const legacyVersions: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']

export const latestLegacyVersion = '2025-11-25'

/** The only version with JSON-RPC batches (removed in 2025-06-18). */
export const batchVersion = '2025-03-26'

/** All versions, newest first: the `supported` list of an unsupported-version error. */
export const supportedVersions: readonly string[] = [modernVersion, ...legacyVersions]

const reserved = 'io.modelcontextprotocol/'

export const metaKeys = {
  protocolVersion: `${reserved}protocolVersion`,
  clientInfo: `${reserved}clientInfo`,
  clientCapabilities: `${reserved}clientCapabilities`,
  serverInfo: `${reserved}serverInfo`,
  subscriptionId: `${reserved}subscriptionId`,
  logLevel: `${reserved}logLevel`,
} as const

/** `_meta` without what belongs to one hop only: reserved keys and the progress token. Everything else travels on. */
export function travellingMeta(meta: JsonObject | undefined): JsonObject | undefined {
  if (meta === undefined) return undefined
  const kept: JsonObject = {}
  let isEmpty = true
  for (const key of Object.keys(meta)) {
    if (key === 'progressToken' || key.startsWith(reserved)) continue
    isEmpty = false
    const value = meta[key] as JsonValue
    if (key === '__proto__') Object.defineProperty(kept, key, { value, enumerable: true, writable: true, configurable: true })
    else kept[key] = value
  }
  return isEmpty ? undefined : kept
}
