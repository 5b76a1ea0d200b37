/** Prefixed random ids: `turn_…`, `ses_…`, `dec_…`. 128 bits, base62, so they are safe in URLs and headers. */
import { randomFillSync } from 'node:crypto'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

export type IdPrefix = 'turn' | 'ses' | 'dec' | 'mc' | 'tc' | 'tkt' | 'key' | 'mcp'

const pool = Buffer.allocUnsafe(4096)
let used = pool.length

/** A new random id. Drawn from a pool refilled with the system's random source. */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${randomText(22)}`
}

/** `length` random base62 characters (5.95 bits each), without modulo bias. */
export function randomText(length: number): string {
  let text = ''
  while (text.length < length) {
    if (used >= pool.length) {
      randomFillSync(pool)
      used = 0
    }
    const byte = pool[used++] as number
    if (byte < 248) text += alphabet[byte % 62]
  }
  return text
}
