/** Where words stand in an event of a Converse stream, or an answer. */
import { isObject, type JsonObject } from '../../../core/json.ts'
import type { ShownText } from '../../dialect.ts'
import { contentOf } from './answer.ts'

export function converseTexts(payload: JsonObject): readonly ShownText[] {
  const { delta, contentBlockIndex } = payload
  if (isObject(delta)) return typeof delta.text === 'string' ? [{ lane: `${Number(contentBlockIndex)}`, holder: delta, field: 'text' }] : []
  return contentOf(payload).flatMap((holder, index) =>
    typeof holder.text === 'string' ? [{ lane: String(index), holder, field: 'text' }] : [],
  )
}
