/**
 * Opaque tokens that only this deployment can make and read (AES-256-GCM): cursors and legacy session ids.
 * Every purpose has its own key; what a token is bound to is authenticated, not stored. Possession is never authentication.
 */
import { parseJson } from '../core/parse-json.ts'
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { TurnwardError } from '../core/error.ts'
import { isObject, type JsonObject } from '../core/json.ts'

export interface Sealer {
  /** base64url, safe in headers. */
  readonly seal: (payload: JsonObject, boundTo: readonly string[]) => string
  /** undefined for anything this sealer did not make for exactly these bindings. */
  readonly open: (token: string, boundTo: readonly string[]) => JsonObject | undefined
}

const longestToken = 4096
const tokenText = /^[A-Za-z0-9_-]+$/

/** `purpose` separates keys, so that a cursor never opens as a session. */
export function createSealer(secret: Uint8Array, purpose: string): Sealer {
  if (secret.length < 32) throw new TurnwardError('config.invalid', { subject: 'secret', why: 'it must have at least 32 bytes' })
  const key = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), `turnward/mcp/${purpose}`, 32))
  return {
    seal(payload, boundTo) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      cipher.setAAD(binding(boundTo))
      const body = Buffer.concat([cipher.update(JSON.stringify(payload), 'utf8'), cipher.final()])
      return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url')
    },
    open(token, boundTo) {
      if (token.length > longestToken || !tokenText.test(token)) return undefined
      const bytes = Buffer.from(token, 'base64url')
      if (bytes.length < 29 || bytes.toString('base64url') !== token) return undefined
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
        decipher.setAAD(binding(boundTo))
        decipher.setAuthTag(bytes.subarray(-16))
        const text = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8')
        const payload: unknown = parseJson(text)
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
