/** Reading loosely typed JSON: absent and `null` are the same, and what is of another type counts as absent. */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'

/** A member that is neither absent nor null. */
export function given(object: JsonObject, key: string): JsonValue | undefined {
  const value = object[key]
  return value === null ? undefined : value
}

export function stringOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** A finite number that is not negative; anything else counts as absent. */
export function countOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}

export function objectOf(value: JsonValue | undefined): JsonObject | undefined {
  return isObject(value) ? value : undefined
}

/** The members that are neither known by name nor absent. */
export function othersOf(object: JsonObject, known: ReadonlySet<string>): JsonObject {
  const others: JsonObject = {}
  for (const [key, value] of Object.entries(object)) if (value !== null && !known.has(key)) others[key] = value
  return others
}

/** A type tag for an error message: identifiers only, so that nothing else of the request is quoted. */
export function tag(value: JsonValue | undefined): string {
  return typeof value === 'string' && /^[a-z0-9_.-]{1,64}$/i.test(value) ? value : 'unknown type'
}
