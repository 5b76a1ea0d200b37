/** Finds the readers a tool call names in its arguments. What cannot be read is reported, never skipped. */
import type { JsonObject, JsonValue } from '../core/json.ts'
import { isObject } from '../core/json.ts'
import { parseArgumentReaders } from './readers.ts'

export interface ArgumentReaders {
  /** Normalised, unique, in the order of the argument. */
  readonly readers: readonly string[]
  /** Why a part of the argument names no reader, in words that do not quote it. */
  readonly unreadable: string | undefined
}

const maxReaders = 1000

/**
 * Resolves `$args.message.recipients`. A path goes through lists: `$args.to.email` reads `email` of every element. With a `?`
 * behind, an argument that is missing, null or empty names nobody.
 */
export function argumentReaders(args: JsonObject, reference: string): ArgumentReaders {
  const found: Found = { readers: new Set(), unreadable: undefined, isOptional: reference.endsWith('?') }
  collect(args, reference.replace(/\?$/, '').split('.').slice(1), found)
  if (found.readers.size > maxReaders) return { readers: [], unreadable: 'names too many readers' }
  return { readers: [...found.readers], unreadable: found.unreadable }
}

interface Found {
  readonly readers: Set<string>
  unreadable: string | undefined
  readonly isOptional: boolean
}

function collect(value: JsonValue, path: readonly string[], found: Found): void {
  if (found.isOptional && (value === null || value === '' || (Array.isArray(value) && value.length === 0))) return
  if (Array.isArray(value)) {
    if (value.length === 0) found.unreadable ??= 'is empty'
    if (value.length > maxReaders) found.unreadable ??= 'names too many readers'
    for (const item of value.slice(0, maxReaders)) collect(item, path, found)
    return
  }
  const [key, ...rest] = path
  if (key !== undefined) {
    const next = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
    if (next === undefined) found.unreadable ??= found.isOptional && isObject(value) ? undefined : 'is missing'
    else collect(next, rest, found)
    return
  }
  if (typeof value !== 'string') found.unreadable ??= 'is not text or a list of texts'
  else if (value.trim() === '') found.unreadable ??= 'is empty'
  else {
    const readers = parseArgumentReaders(value)
    if (readers === undefined) found.unreadable ??= 'has something that is not a plain address, group, domain or principal'
    else for (const reader of readers) found.readers.add(reader)
  }
}
