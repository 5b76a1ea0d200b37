/**
 * Reading loosely typed JSON for conversion: absent and `null` are the same, wrong types are refused by field.
 * Errors name fields and indexes of the caller's own request; they never quote contents.
 */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { invalid } from '../request/fields.ts'

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

/** The entries of an array that must hold objects only. Throws `request.invalid`. */
export function requireObjects(value: JsonValue | undefined, field: string): JsonObject[] {
  if (!Array.isArray(value)) throw invalid(field, 'it must be an array')
  return value.map((item, index) => {
    if (!isObject(item)) throw invalid(`${field}[${index}]`, 'it must be an object')
    return item
  })
}

/** Copies the named members that are neither absent nor null. */
export function copyGiven(from: JsonObject, to: JsonObject, keys: readonly string[]): void {
  for (const key of keys) {
    const value = given(from, key)
    if (value !== undefined) to[key] = value
  }
}

/** A type tag for an error message: identifiers only, so that nothing else of the request is quoted. */
export function tag(value: JsonValue | undefined): string {
  return typeof value === 'string' && /^[a-z0-9_.-]{1,64}$/i.test(value) ? value : 'unknown type'
}
