/** A message of text as the events of a responses stream, numbered by whoever sends them. */
import { asText, type JsonObject } from '../../../core/json.ts'
import { objectsOf } from '../../request/fields.ts'

/** Everything between the beginning of the item and its end. `item`: a message whose only part is text. */
export function messageEvents(item: JsonObject, output_index: number): JsonObject[] {
  const part = objectsOf(item.content)[0] ?? {}
  const place = { item_id: asText(item.id), output_index, content_index: 0 }
  const text = asText(part.text)
  return [
    { type: 'response.output_item.added', output_index, item: { ...item, status: 'in_progress', content: [] } },
    { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
    { type: 'response.output_text.delta', ...place, delta: text, logprobs: [] },
    { type: 'response.output_text.done', ...place, text, logprobs: [] },
    { type: 'response.content_part.done', ...place, part },
    { type: 'response.output_item.done', output_index, item },
  ]
}

/** How an item ends that was not said to its end: its last part, when it has words, and itself. */
export function endsOfItem(item: JsonObject, output_index: number): JsonObject[] {
  const parts = item.type === 'message' ? objectsOf(item.content) : []
  const place = { item_id: asText(item.id), output_index, content_index: parts.length - 1 }
  const part = parts.at(-1)
  const end = { type: 'response.output_item.done', output_index, item }
  if (part === undefined) return [end]
  const said =
    part.type === 'refusal'
      ? { type: 'response.refusal.done', ...place, refusal: asText(part.refusal) }
      : { type: 'response.output_text.done', ...place, text: asText(part.text), logprobs: [] }
  return [said, { type: 'response.content_part.done', ...place, part }, end]
}
