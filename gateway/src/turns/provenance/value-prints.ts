/** Keyed hashes of values, per session: what is kept of a value says nothing of it, and is no other session's. */
import { createHmac } from 'node:crypto'
import { soughtValue } from '../../policy/values/sought-value.ts'

/** Characters of a hash: 72 bits. */
export const printLength = 12

/** The hash of a value, the same for every way to write it. */
export function printOf(secret: Uint8Array, session: string, value: string): string {
  return createHmac('sha256', secret)
    .update(`value\0${session}\0`)
    .update(soughtValue(value).canonical)
    .digest('base64url')
    .slice(0, printLength)
}
