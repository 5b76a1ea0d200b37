/**
 * What a function call of an answer is made with, which this dialect writes as text. Some servers write the object itself, or
 * nothing for no arguments: both are brought into the documented form before anybody reads them.
 */
import { isObject, type JsonObject } from '../../../core/json.ts'
import { isAbsent, malformed, objectsOf } from '../../request/fields.ts'

/** Puts text where it must stand, in an item. `whole`: nothing can follow. True when something had to change. Throws `upstream.malformed`. */
function settleItem(item: JsonObject, whole: boolean): boolean {
  return item.type === 'function_call' && settleText(item, whole ? '{}' : '')
}

/** An item that is not written to its end says by its status that its arguments are not, either. */
export function isWhole({ status }: JsonObject): boolean {
  return status !== 'in_progress' && status !== 'incomplete'
}

function settleText(target: JsonObject, none: string): boolean {
  const { arguments: said } = target
  if (typeof said === 'string') return false
  if (!isAbsent(said) && !isObject(said)) throw malformed('the arguments of a tool call of its answer are neither text nor an object')
  target.arguments = isAbsent(said) ? none : JSON.stringify(said)
  return true
}

/** The items of a whole answer. True when something had to change. Throws `upstream.malformed`. */
export function settleResponsesCalls(response: JsonObject): boolean {
  return objectsOf(response.output).filter((item) => settleItem(item, isWhole(item))).length > 0
}

/** The item, the items or the arguments an event tells of. True when something had to change. Throws `upstream.malformed`. */
export function settleEvent(payload: JsonObject, type: string): boolean {
  if (type === 'response.function_call_arguments.done') return settleText(payload, '{}')
  if (isObject(payload.item)) return settleItem(payload.item, type === 'response.output_item.done' && isWhole(payload.item))
  return isObject(payload.response) && settleResponsesCalls(payload.response)
}
