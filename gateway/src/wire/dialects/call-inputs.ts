/**
 * What a call of an answer is made with, in dialects that write it as an object. Some vendors write nothing for no arguments, and
 * JSON text for an object; both are brought into the documented form before anybody reads them, and anything else is refused:
 * what a conversion would leave out of a call would change what it does.
 */
import { isObject, type JsonObject } from '../../core/json.ts'
import { parseArguments } from '../request/call-arguments.ts'
import { isAbsent, malformed } from '../request/fields.ts'

/** Puts an object where one must stand. True when something had to change. Throws `upstream.malformed`. */
export function settleInput(call: JsonObject, field: 'input' | 'args'): boolean {
  const value = call[field]
  if (isObject(value)) return false
  const input = isAbsent(value) ? {} : typeof value === 'string' ? parseArguments(value) : undefined
  if (input === undefined) throw malformed('the arguments of a tool call of its answer are not an object')
  call[field] = input
  return true
}
