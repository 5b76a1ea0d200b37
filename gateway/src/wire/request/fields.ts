/**
 * Reads single fields of a model call and refuses what is not what the API documents, naming the path.
 * It never changes a value and never quotes one.
 */
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'

/** A `request.invalid` for the field at `path`. */
export function invalid(path: string, why: string): TurnwardError {
  return new TurnwardError('request.invalid', { subject: path, why })
}

/** A `request.unsupported` for the field at `path`; `fix` when something more exact than the code's own is known. */
export function unsupported(path: string, why: string, fix?: string): TurnwardError {
  return new TurnwardError('request.unsupported', { subject: path, why, fix })
}

export function requireObject(value: JsonValue | undefined, path: string): JsonObject {
  if (!isObject(value)) throw invalid(path, 'it must be an object')
  return value
}

export function requireArray(value: JsonValue | undefined, path: string): JsonValue[] {
  if (!Array.isArray(value)) throw invalid(path, 'it must be an array')
  return value
}

export function requireString(value: JsonValue | undefined, path: string): string {
  if (typeof value !== 'string') throw invalid(path, 'it must be a string')
  return value
}

/** A string that names something. */
export function requireName(value: JsonValue | undefined, path: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(path, 'it must be a non-empty string')
  return value
}

/** The objects of an array that may be absent or null. */
export function optionalObjects(value: JsonValue | undefined, path: string): JsonObject[] {
  if (isAbsent(value)) return []
  return requireObjects(value, path)
}

/** The objects of an array that must be there. */
export function requireObjects(value: JsonValue | undefined, path: string): JsonObject[] {
  return requireArray(value, path).map((item, index) => requireObject(item, `${path}[${index}]`))
}

/** A number that may be absent or null. */
export function optionalNumber(value: JsonValue | undefined, path: string): number | undefined {
  if (isAbsent(value)) return undefined
  if (typeof value !== 'number' || !Number.isFinite(value)) throw invalid(path, 'it must be a number')
  return value
}

/** A count that may be absent or null. One below zero means no limit to the servers that take it. */
export function optionalCount(value: JsonValue | undefined, path: string): number | undefined {
  const count = optionalNumber(value, path)
  return count !== undefined && count < 0 ? undefined : count
}

/** Both dialects take null for a field that is not there. */
export function isAbsent(value: JsonValue | undefined): value is null | undefined {
  return value === undefined || value === null
}

/** `stream` of a request: absent is false. */
export function readStream(body: JsonObject): boolean {
  if (isAbsent(body.stream)) return false
  if (typeof body.stream !== 'boolean') throw invalid('stream', 'it must be true or false')
  return body.stream
}

/** A malformed answer of an upstream. */
export function malformed(why: string): TurnwardError {
  return new TurnwardError('upstream.malformed', { why })
}

/** The objects of a value; anything else in it is passed over. */
export function objectsOf(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}
