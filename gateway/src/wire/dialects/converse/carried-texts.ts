/** What an event of a Converse stream, or an answer, carries beside its words: what the model thought, and what calls are made with. */
import { isObject, type JsonObject } from '../../../core/json.ts'
import type { CarriedText } from '../../dialect.ts'
import { contentOf } from './answer.ts'

export function converseCarriedTexts(payload: JsonObject): readonly CarriedText[] {
  const { delta, contentBlockIndex } = payload
  if (isObject(delta)) return inBlock(delta, `${Number(contentBlockIndex)}`)
  return contentOf(payload).flatMap((block, index) => inBlock(block, String(index)))
}

function inBlock({ toolUse, reasoningContent }: JsonObject, lane: string): readonly CarriedText[] {
  if (isObject(toolUse) && (typeof toolUse.input === 'string' || isObject(toolUse.input)))
    return [{ kind: 'arguments', lane, holder: toolUse, field: 'input' }]
  if (!isObject(reasoningContent)) return []
  const holder = isObject(reasoningContent.reasoningText) ? reasoningContent.reasoningText : reasoningContent
  return typeof holder.text === 'string' ? [{ kind: 'thought', lane: `thought ${lane}`, holder, field: 'text' }] : []
}
