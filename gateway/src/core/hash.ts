/** Digests: plain SHA-256 for the decision log, keyed for anything a client could guess at. */
import { createHmac, hash } from 'node:crypto'
import { canonicalJson } from './json.ts'

/** SHA-256 of text or bytes, hex. */
export function sha256(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex')
}

/** SHA-256 (hex) of the canonical JSON of a value. */
export function digestJson(value: unknown): string {
  return sha256(canonicalJson(value))
}

/** HMAC-SHA256 (base64url) of parts joined unambiguously (each prefixed with its length). */
export function keyedHash(key: Uint8Array, ...parts: readonly string[]): string {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(`${part.length}:`).update(part)
  return mac.digest('base64url')
}
