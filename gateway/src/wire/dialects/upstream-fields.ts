/** What the readers of requests say when it is an answer they read. */
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { isAbsent, malformed } from '../request/fields.ts'

/** The readers of requests also read responses; there the vendor is at fault, not the client. */
export function asUpstreamError<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof TurnwardError) throw malformed(`${error.subject ?? 'the response'}: ${error.why ?? 'it cannot be read'}`)
    throw error
  }
}

/**
 * The objects of a list of an answer that may be left out. Anything else in its place is refused: a client that reads it all the
 * same would be shown what nobody has looked at.
 */
export function answeredObjects(value: JsonValue | undefined, what: string): JsonObject[] {
  if (isAbsent(value)) return []
  if (!Array.isArray(value) || !value.every(isObject)) throw malformed(`${what} is not a list of objects`)
  return value
}
