/** Prefixed ids: `turn_…`, `ses_…`, `dec_…`. Safe in URLs and headers. */
import { randomFillSync } from 'node:crypto'

const alphabet = Buffer.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')

export type IdPrefix = 'turn' | 'ses' | 'dec' | 'mc' | 'tc' | 'tkt' | 'key' | 'mcp' | 'sec' | 'usr' | 'grp' | 'stop' | 'ap'

/** Characters that nobody has been given yet, from `used` to `filled`. */
const pool = Buffer.allocUnsafe(4096)
let filled = 0
let used = 0

/** Ids of things that happen: they begin with the time, so that the indexes of the decision log grow at their end. */
const timed: ReadonlySet<IdPrefix> = new Set(['turn', 'dec', 'mc', 'tc'])

/**
 * A new id: 22 random base62 characters (131 bits), or for things that happen 9 characters of time (milliseconds,
 * base 36) and 16 random ones (95 bits). No id is a secret.
 */
export function newId(prefix: IdPrefix): string {
  return timed.has(prefix) ? `${prefix}_${timeText()}${randomText(16)}` : `${prefix}_${randomText(22)}`
}

let writtenTime = 0
let written = ''

// Several ids are made in one millisecond, and writing it costs more than the rest of them.
function timeText(): string {
  const now = Date.now()
  if (now !== writtenTime) {
    writtenTime = now
    written = now.toString(36).padStart(9, '0')
  }
  return written
}

/** `length` random base62 characters (5.95 bits each; at most 1,000), without modulo bias. */
export function randomText(length: number): string {
  if (used + length > filled) refill()
  used += length
  return pool.toString('latin1', used - length, used)
}

function refill(): void {
  randomFillSync(pool)
  filled = 0
  used = 0
  for (const byte of pool) if (byte < 248) pool[filled++] = alphabet[byte % 62] as number
}
