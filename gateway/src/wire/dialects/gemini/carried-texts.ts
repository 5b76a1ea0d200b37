/** What a Gemini answer, or a piece of one, carries beside its words: what the model thought, and what calls are made with. */
import { isObject, type JsonObject } from '../../../core/json.ts'
import type { CarriedText } from '../../dialect.ts'
import { objectsOf } from '../../request/fields.ts'

export function geminiCarriedTexts({ candidates }: JsonObject): readonly CarriedText[] {
  return objectsOf(candidates).flatMap((candidate, at) => {
    const parts = isObject(candidate.content) ? objectsOf(candidate.content.parts) : []
    const lane = typeof candidate.index === 'number' ? `${candidate.index}` : `${at}`
    return parts.flatMap((part): CarriedText[] => {
      if (part.thought === true && typeof part.text === 'string') return [{ kind: 'thought', lane, holder: part, field: 'text' }]
      // A call comes whole, under one of two spellings.
      for (const call of [part.functionCall, part.function_call])
        if (isObject(call) && isObject(call.args)) return [{ kind: 'arguments', lane: '', isWhole: true, holder: call, field: 'args' }]
      for (const code of [part.executableCode, part.executable_code])
        if (isObject(code) && typeof code.code === 'string')
          return [{ kind: 'arguments', lane: '', isWhole: true, holder: code, field: 'code' }]
      return []
    })
  })
}
