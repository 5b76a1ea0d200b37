/**
 * What a virtual key looks like and how it is kept: `tw_` and 43 base62 characters, of which the last checks the others.
 * The key is shown once; only a keyed hash of it is stored.
 */
import { keyedHash, sha256 } from '../../../core/hash.ts'
import { randomText } from '../../../core/ids.ts'

const randomLength = 42
const shape = /^tw_[0-9A-Za-z]{43}$/
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** A new key: 250 random bits. */
export function newVirtualKey(): string {
  const body = randomText(randomLength)
  return `tw_${body}${checkCharacter(body)}`
}

/** Whether the text could be a key we issued. Spares the store a look-up for what was cut off or mistyped; proves nothing. */
export function looksLikeVirtualKey(text: string): boolean {
  return shape.test(text) && text.at(-1) === checkCharacter(text.slice(3, 3 + randomLength))
}

/** What the store keeps: HMAC-SHA256 under the server's secret, base64url. */
export function virtualKeyHash(secret: Uint8Array, key: string): string {
  return keyedHash(secret, 'virtual key', key)
}

/** The beginning of a key, for people to recognise it by: 36 of its 250 bits. */
export function displayPrefix(key: string): string {
  return key.slice(0, 9)
}

function checkCharacter(body: string): string {
  return alphabet.charAt(Number.parseInt(sha256(body).slice(0, 8), 16) % alphabet.length)
}
