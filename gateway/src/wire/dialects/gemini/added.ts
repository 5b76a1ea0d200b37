/** Messages of an operator in a Gemini request: instructions stand in `systemInstruction`, and roles alternate. */
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { type AddedMessages, instructions, spoken, withAdded } from '../../request/added-messages.ts'
import { isCall, partsOf } from './calls.ts'
import { settleSpelling } from './spelling.ts'

export function addGeminiMessages(body: JsonObject, added: AddedMessages): void {
  // Nobody may have read it before, and the contents of a long body are parsed anew when they are asked for.
  settleSpelling(body)
  const { before, behind } = instructions(added)
  if (before.length + behind.length > 0) {
    const { systemInstruction: given } = body
    const parts = typeof given === 'string' ? [partOf(given)] : partsOf(given)
    body.systemInstruction = {
      ...(isObject(given) ? given : {}),
      parts: [...before.map(partOf), ...parts, ...behind.map(partOf)],
    }
  }
  const contents = Array.isArray(body.contents) ? body.contents : []
  body.contents = withAdded(contents, spoken(added), {
    messageOf: ({ role, text }) => ({ role: role === 'assistant' ? 'model' : 'user', parts: [partOf(text)] }),
    isAnswer: (content) => roleOf(content) === 'model' && !partsOf(content).some(isCall),
    joined: (first, second) =>
      roleOf(first) === roleOf(second) ? { ...first, parts: [...partsOf(first), ...partsOf(second)] } : undefined,
  })
}

function partOf(text: string): JsonObject {
  return { text }
}

function roleOf(content: JsonValue | undefined): 'model' | 'user' {
  return isObject(content) && content.role === 'model' ? 'model' : 'user'
}
