/** Where a list goes on, as text that means nothing to whoever holds it. A place, never a permission: filters are checked anew. Pure. */
import { TurnwardError } from '../core/error.ts'
import { parseJson } from '../core/parse-json.ts'

export function cursorOf(parts: readonly (number | string)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/** Parts of these types, numbers being whole ones. Throws `request.invalid`. */
export function partsOfCursor(cursor: string, types: readonly ('number' | 'string')[]): readonly (number | string)[] {
  const parts = decoded(cursor)
  const isOurs =
    Array.isArray(parts) &&
    parts.length === types.length &&
    types.every((type, at) => typeof parts[at] === type && (type === 'string' || Number.isSafeInteger(parts[at])))
  if (!isOurs) throw new TurnwardError('request.invalid', { subject: 'cursor', why: 'it is none that this list has given' })
  return parts as (number | string)[]
}

function decoded(cursor: string): unknown {
  try {
    return parseJson(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
