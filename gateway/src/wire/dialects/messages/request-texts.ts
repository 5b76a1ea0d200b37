/** Where words stand in a messages request. What a model has thought is signed, and its vendor's own. */
import { asText, type JsonObject } from '../../../core/json.ts'
import { argumentsReading, readTexts, type RequestText, type TextPart, toolsReading } from '../../request/request-texts.ts'

const parts: Readonly<Record<string, TextPart>> = { user: 'user', assistant: 'assistant', system: 'system' }
const thoughts: ReadonlySet<string> = new Set(['thinking', 'redacted_thinking'])

export function messagesRequestTexts(body: JsonObject): readonly RequestText[] {
  return readTexts(body, {
    fields: { model: 'skip', system: { part: 'system' }, messages: { part: 'user' }, tools: toolsReading },
    object: ({ role, type }, reading) => {
      const part = typeof role === 'string' && Object.hasOwn(parts, role) ? parts[role] : undefined
      if (part !== undefined) return { reading: { part } }
      const kind = asText(type)
      if (thoughts.has(kind)) return 'skip'
      if (kind.endsWith('tool_use')) return { reading: { part: 'tool_call' }, fields: { input: argumentsReading } }
      return { reading: kind.endsWith('tool_result') ? { part: 'tool_result' } : reading }
    },
  })
}
