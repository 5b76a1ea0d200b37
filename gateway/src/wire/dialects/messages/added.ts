/** Messages of an operator in a messages request: instructions stand in `system`, and roles alternate. */
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { type AddedMessages, instructions, spoken, withAdded } from '../../request/added-messages.ts'
import { objectsOf } from '../../request/fields.ts'

export function addMessagesMessages(body: JsonObject, added: AddedMessages): void {
  const { before, behind } = instructions(added)
  if (before.length + behind.length > 0) body.system = [...before.map(blockOf), ...blocksOf(body.system), ...behind.map(blockOf)]
  body.messages = withAdded(Array.isArray(body.messages) ? body.messages : [], spoken(added), {
    messageOf: ({ role, text }) => ({ role, content: [blockOf(text)] }),
    isAnswer: (message) =>
      isObject(message) && message.role === 'assistant' && !blocksOf(message.content).some(({ type }) => type === 'tool_use'),
    joined: (first, second) =>
      first.role === second.role ? { ...first, content: [...blocksOf(first.content), ...blocksOf(second.content)] } : undefined,
  })
}

function blockOf(text: string): JsonObject {
  return { type: 'text', text }
}

function blocksOf(content: JsonValue | undefined): JsonObject[] {
  if (typeof content === 'string') return content === '' ? [] : [blockOf(content)]
  return objectsOf(content)
}
