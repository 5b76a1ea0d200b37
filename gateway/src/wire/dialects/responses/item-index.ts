/** Which item an event of a responses stream is of. What cannot be told apart is nobody's to pass on. */
import { asText, isObject, type JsonObject } from '../../../core/json.ts'
import { malformed } from '../../request/fields.ts'
import { isClientCall } from './calls.ts'
import { answeredItems } from './items.ts'

/** Beginnings of events that say something of an item, also where they do not name it. */
const ofItems = ['output_item', 'content_part', 'output_text', 'refusal', 'function_call_arguments', 'custom_tool_call_input'].map(
  (name) => `response.${name}.`,
)
const ofWholeItems: ReadonlySet<string> = new Set(['response.output_item.added', 'response.output_item.done'])

/** The number of the item; undefined for events that are of none. Throws `upstream.malformed`. */
export function itemIndex(payload: JsonObject, type = asText(payload.type)): number | undefined {
  const { output_index: index, item } = payload
  // Some clients run what any event brings.
  if (isObject(item) && isClientCall(item) && !ofWholeItems.has(type))
    throw malformed('a tool call of its stream comes in an event that is not known')
  if (index === undefined && item === undefined && !ofItems.some((beginning) => type.startsWith(beginning))) return undefined
  if (typeof index !== 'number' || !Number.isInteger(index) || index < 0) throw malformed('an item of its stream has no index')
  return index
}

/** The item an event tells of. Throws `upstream.malformed`. */
export function itemOf({ item }: JsonObject, type: string): JsonObject {
  const [whole] = ofWholeItems.has(type) ? answeredItems([item ?? null]) : []
  return whole ?? {}
}
