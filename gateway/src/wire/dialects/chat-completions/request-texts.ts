/** Where words stand in a chat-completions request. */
import type { JsonObject } from '../../../core/json.ts'
import { argumentsTextReading, readTexts, type RequestText, type TextPart, toolsReading } from '../../request/request-texts.ts'

const parts: Readonly<Record<string, TextPart>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'tool_result',
}

export function chatRequestTexts(body: JsonObject): readonly RequestText[] {
  return readTexts(body, {
    fields: { model: 'skip', messages: { part: 'user' }, tools: toolsReading },
    object: ({ role }, reading) => {
      const part = typeof role === 'string' && Object.hasOwn(parts, role) ? parts[role] : undefined
      if (part !== undefined) return { reading: { part }, fields: { tool_calls: { part: 'tool_call' } } }
      return { reading, ...(reading.part === 'tool_call' ? { fields: { arguments: argumentsTextReading } } : {}) }
    },
  })
}
