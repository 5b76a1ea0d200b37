/** Where words stand in an event of a messages stream, or a message. */
import { isObject, type JsonObject } from '../../../core/json.ts'
import type { ShownText } from '../../dialect.ts'
import { objectsOf } from '../../request/fields.ts'

export function messagesTexts(payload: JsonObject): readonly ShownText[] {
  const inBlock = (block: unknown, index: unknown): readonly ShownText[] =>
    isObject(block) && (block.type === 'text' || block.type === 'text_delta') && typeof block.text === 'string'
      ? [{ lane: String(index), holder: block, field: 'text' }]
      : []
  if (Array.isArray(payload.content)) return objectsOf(payload.content).flatMap(inBlock)
  // A stream may begin with what it has already.
  if (isObject(payload.message)) return objectsOf(payload.message.content).flatMap(inBlock)
  return inBlock(payload.delta ?? payload.content_block, payload.index)
}
