/** Where words stand in a responses request. */
import { asText, type JsonObject } from '../../../core/json.ts'
import {
  argumentsReading,
  argumentsTextReading,
  readTexts,
  type RequestText,
  type TextPart,
  toolsReading,
} from '../../request/request-texts.ts'
import { isOutput } from './calls.ts'

const parts: Readonly<Record<string, TextPart>> = { user: 'user', assistant: 'assistant', system: 'system', developer: 'system' }

export function responsesRequestTexts(body: JsonObject): readonly RequestText[] {
  return readTexts(body, {
    fields: { model: 'skip', instructions: { part: 'system' }, input: { part: 'user' }, tools: toolsReading },
    object: (item, reading) => {
      const { role } = item
      const part = typeof role === 'string' && Object.hasOwn(parts, role) ? parts[role] : undefined
      if (part !== undefined) return { reading: { part } }
      // What a search found is offered like any tool.
      if (isOutput(item)) return { reading: { part: 'tool_result' }, fields: { tools: toolsReading } }
      const type = asText(item.type)
      if (type === 'reasoning') return { reading: { part: 'assistant' } }
      if (!type.endsWith('_call')) return { reading }
      return {
        reading: { part: 'tool_call' },
        fields: {
          arguments: typeof item.arguments === 'string' ? argumentsTextReading : argumentsReading,
          action: argumentsReading,
          operation: argumentsReading,
          output: { part: 'tool_result', isOpen: true },
          results: { part: 'tool_result', isOpen: true },
        },
      }
    },
  })
}
