/** Messages of an operator in a Converse request: instructions stand in `system`, and roles alternate. */
import { isObject, type JsonObject } from '../../../core/json.ts'
import { type AddedMessages, instructions, spoken, withAdded } from '../../request/added-messages.ts'
import { objectsOf } from '../../request/fields.ts'

export function addConverseMessages(body: JsonObject, added: AddedMessages): void {
  const { before, behind } = instructions(added)
  if (before.length + behind.length > 0) body.system = [...before.map(blockOf), ...objectsOf(body.system), ...behind.map(blockOf)]
  body.messages = withAdded(Array.isArray(body.messages) ? body.messages : [], spoken(added), {
    messageOf: ({ role, text }) => ({ role, content: [blockOf(text)] }),
    isAnswer: (message) =>
      isObject(message) && message.role === 'assistant' && !objectsOf(message.content).some(({ toolUse }) => isObject(toolUse)),
    joined: (first, second) =>
      first.role === second.role ? { ...first, content: [...objectsOf(first.content), ...objectsOf(second.content)] } : undefined,
  })
}

function blockOf(text: string): JsonObject {
  return { text }
}
