/**
 * Messages of an operator in a chat-completions request. Instructions are messages there too; those of the operator stand with
 * those that the conversation begins with: not every server takes them later, and at the end they would be elsewhere each time.
 */
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { type AddedMessages, instructions, spoken, withAdded } from '../../request/added-messages.ts'
import { objectsOf } from '../../request/fields.ts'

export function addChatMessages(body: JsonObject, added: AddedMessages): void {
  const messages = Array.isArray(body.messages) ? body.messages : []
  const firstSaid = messages.findIndex((message) => !isInstruction(message))
  const end = firstSaid < 0 ? messages.length : firstSaid
  const { before, behind } = instructions(added)
  const said = withAdded(messages.slice(end), spoken(added), {
    messageOf: ({ role, text }) => ({ role, content: text }),
    isAnswer: (message) => isObject(message) && message.role === 'assistant' && objectsOf(message.tool_calls).length === 0,
  })
  body.messages = [...before.map(systemMessage), ...messages.slice(0, end), ...behind.map(systemMessage), ...said]
}

function systemMessage(text: string): JsonObject {
  return { role: 'system', content: text }
}

function isInstruction(message: JsonValue | undefined): boolean {
  return isObject(message) && (message.role === 'system' || message.role === 'developer')
}
