/** Where words stand in a Gemini answer, whole or a piece of one. */
import { isObject, type JsonObject } from '../../../core/json.ts'
import type { ShownText } from '../../dialect.ts'
import { objectsOf } from '../../request/fields.ts'

export function geminiTexts({ candidates }: JsonObject): readonly ShownText[] {
  return objectsOf(candidates).flatMap((candidate, at) => {
    const parts = isObject(candidate.content) ? objectsOf(candidate.content.parts) : []
    const shown = parts.filter((part) => typeof part.text === 'string' && part.thought !== true)
    return shown.map((holder) => ({ lane: typeof candidate.index === 'number' ? `${candidate.index}` : `${at}`, holder, field: 'text' }))
  })
}
