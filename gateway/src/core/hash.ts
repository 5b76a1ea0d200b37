/** Digests: plain SHA-256 for the decision log, keyed for anything a client could guess at. */
import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto'
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
  let text = ''
  for (const part of parts) text += `${part.length}:${part}`
  return createHmac('sha256', keyObjectOf(key)).update(text).digest('base64url')
}

const keyObjects = new WeakMap<Uint8Array, KeyObject>()

// Node turns raw key bytes into a key object on every call, which costs ten times the hash.
function keyObjectOf(key: Uint8Array): KeyObject {
  let object = keyObjects.get(key)
  if (object === undefined) {
    object = createSecretKey(key)
    keyObjects.set(key, object)
  }
  return object
}
