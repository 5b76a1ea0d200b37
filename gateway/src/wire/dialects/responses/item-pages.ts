/** Items with ids, and pages of them, as whoever lists a conversation gets them. */
import type { JsonObject } from '../../../core/json.ts'
import { invalid } from '../../request/fields.ts'
import { typeOfItem } from './items.ts'

const usualLimit = 20
const highestLimit = 100

/** A page, newest first unless it is asked for otherwise. `items`: oldest first, each with its id. Throws `request.invalid` naming the parameter. */
export function pageOf(items: readonly JsonObject[], query: URLSearchParams): JsonObject {
  const limit = Number(query.get('limit') ?? usualLimit)
  if (!Number.isInteger(limit) || limit < 1 || limit > highestLimit) throw invalid('limit', `it must be 1 to ${highestLimit}`)
  const order = query.get('order') ?? 'desc'
  if (order !== 'asc' && order !== 'desc') throw invalid('order', 'it is neither `asc` nor `desc`')
  const ordered = order === 'desc' ? items.toReversed() : items
  const after = query.get('after')
  const start = after === null ? 0 : ordered.findIndex(({ id }) => id === after) + 1
  if (after !== null && start === 0) throw invalid('after', 'no item has this id')
  const data = ordered.slice(start, start + limit)
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: start + limit < ordered.length,
  }
}

/** Whether an item has an id of its own. */
export function hasId({ id }: JsonObject): boolean {
  return typeof id === 'string' && id !== ''
}

/** The id an item gets that has none. `unique`: what tells it from all others. */
export function idFor(item: JsonObject, unique: string): string {
  return `${typeOfItem(item) === 'message' ? 'msg' : 'item'}_${unique}`
}

/** An item as it is listed. */
export function listed(item: JsonObject, id: string): JsonObject {
  if (hasId(item)) return item
  const type = typeOfItem(item)
  if (type !== 'message') return { id, ...item }
  const { content } = item
  const part = item.role === 'assistant' ? 'output_text' : 'input_text'
  const parts = typeof content === 'string' ? [{ type: part, text: content }] : (content ?? [])
  return { id, status: 'completed', ...item, type, content: parts }
}
