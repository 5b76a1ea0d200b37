/**
 * Opaque tokens that only this deployment can make and read (AES-256-GCM): cursors, legacy session ids, states of requests.
 * Every purpose has its own key; what a token is bound to is authenticated, not stored. Possession is never authentication.
 */
import { parseJson } from '../core/parse-json.ts'
import { hkdfSync } from 'node:crypto'
import { TurnwardError } from '../core/error.ts'
import { isObject, type JsonObject } from '../core/json.ts'
import { openBytes, sealBytes } from '../core/sealed-bytes.ts'

export interface Sealer {
  /** base64url, safe in headers. */
  readonly seal: (payload: JsonObject, boundTo: readonly string[]) => string
  /** undefined for anything this sealer did not make for exactly these bindings. */
  readonly open: (token: string, boundTo: readonly string[]) => JsonObject | undefined
}

const longestUsual = 4096

/** `purpose` separates keys, so that a cursor never opens as a session. `longestToken`: a longer one is not even looked at. */
export function createSealer(secret: Uint8Array, purpose: string, longestToken = longestUsual): Sealer {
  if (secret.length < 32) throw new TurnwardError('config.invalid', { subject: 'secret', why: 'it must have at least 32 bytes' })
  const key = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), `turnward/mcp/${purpose}`, 32))
  return {
    seal: (payload, boundTo) => sealBytes(key, binding(boundTo), Buffer.from(JSON.stringify(payload))),
    open(token, boundTo) {
      const content = token.length > longestToken ? undefined : openBytes(key, binding(boundTo), token)
      if (content === undefined) return undefined
      try {
        const payload: unknown = parseJson(content.toString('utf8'))
        return isObject(payload) ? payload : undefined
      } catch {
        return undefined
      }
    },
  }
}

/** Length-prefixed, so that `['ab','c']` and `['a','bc']` bind differently. */
function binding(parts: readonly string[]): Buffer {
  return Buffer.from(parts.map((part) => `${part.length}:${part}`).join(''), 'utf8')
}
