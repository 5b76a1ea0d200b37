/** What an event of a messages stream, or a message, carries beside its words: what the model thought, and what calls are made with. */
import { asText, isObject, type JsonObject } from '../../../core/json.ts'
import type { CarriedText } from '../../dialect.ts'
import { objectsOf } from '../../request/fields.ts'

export function messagesCarriedTexts(payload: JsonObject): readonly CarriedText[] {
  if (Array.isArray(payload.content)) return objectsOf(payload.content).flatMap(inBlock)
  if (isObject(payload.message)) return objectsOf(payload.message.content).flatMap(inBlock)
  return inBlock(payload.delta ?? payload.content_block, payload.index)
}

function inBlock(block: unknown, index: unknown): readonly CarriedText[] {
  if (!isObject(block)) return []
  const type = asText(block.type)
  const lane = String(index)
  if (type === 'input_json_delta') return [{ kind: 'arguments', lane, holder: block, field: 'partial_json' }]
  // A call that is told in pieces begins with an empty object.
  if (type.endsWith('tool_use'))
    return isObject(block.input) && Object.keys(block.input).length > 0 ? [{ kind: 'arguments', lane, holder: block, field: 'input' }] : []
  if (type !== 'thinking' && type !== 'thinking_delta') return []
  return typeof block.thinking === 'string' ? [{ kind: 'thought', lane, holder: block, field: 'thinking' }] : []
}
