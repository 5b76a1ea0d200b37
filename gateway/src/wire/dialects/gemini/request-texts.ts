/** Where words stand in a Gemini request. */
import { isObject, type JsonObject } from '../../../core/json.ts'
import { argumentsReading, readTexts, type RequestText, type TextPart, resultReading, toolsReading } from '../../request/request-texts.ts'

const parts: Readonly<Record<string, TextPart>> = { user: 'user', model: 'assistant', function: 'tool_result', system: 'system' }

export function geminiRequestTexts(body: JsonObject): readonly RequestText[] {
  return readTexts(body, {
    fields: { model: 'skip', systemInstruction: { part: 'system' }, contents: { part: 'user' }, tools: toolsReading },
    object: (value, reading) => {
      const { role } = value
      if (Array.isArray(value.parts)) {
        const part = typeof role === 'string' && Object.hasOwn(parts, role) ? parts[role] : undefined
        return { reading: part === undefined || reading.part === 'system' ? reading : { part } }
      }
      if (isObject(value.functionCall) || isObject(value.toolCall) || isObject(value.executableCode))
        return { reading: { part: 'tool_call' } }
      if (isObject(value.functionResponse) || isObject(value.toolResponse) || isObject(value.codeExecutionResult))
        return { reading: { part: 'tool_result' } }
      if (reading.part === 'tool_call') return { reading, fields: { args: argumentsReading } }
      return { reading, ...(reading.part === 'tool_result' ? { fields: { response: resultReading } } : {}) }
    },
  })
}
