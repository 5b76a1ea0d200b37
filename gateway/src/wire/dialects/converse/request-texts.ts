/** Where words stand in a Converse request. What a model has thought is signed, and its vendor's own. */
import { isObject, type JsonObject } from '../../../core/json.ts'
import { argumentsReading, readTexts, type RequestText, type TextPart, resultReading, toolsReading } from '../../request/request-texts.ts'

const parts: Readonly<Record<string, TextPart>> = { user: 'user', assistant: 'assistant', system: 'system' }

export function converseRequestTexts(body: JsonObject): readonly RequestText[] {
  return readTexts(body, {
    fields: { model: 'skip', system: { part: 'system' }, messages: { part: 'user' }, toolConfig: toolsReading },
    object: (value, reading) => {
      const { role } = value
      const part = typeof role === 'string' && Object.hasOwn(parts, role) ? parts[role] : undefined
      if (part !== undefined) return { reading: { part } }
      if (isObject(value.reasoningContent)) return 'skip'
      if (isObject(value.toolUse)) return { reading: { part: 'tool_call' } }
      if (isObject(value.toolResult)) return { reading: { part: 'tool_result' } }
      if (reading.part === 'tool_call') return { reading, fields: { input: argumentsReading } }
      return { reading, ...(reading.part === 'tool_result' ? { fields: { json: resultReading } } : {}) }
    },
  })
}
