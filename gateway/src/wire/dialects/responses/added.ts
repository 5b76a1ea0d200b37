/** Messages of an operator in a responses request: instructions stand in `instructions`, all else in `input`. */
import { asText, type JsonObject } from '../../../core/json.ts'
import { type AddedMessages, instructions, spoken, withAdded } from '../../request/added-messages.ts'

export function addResponsesMessages(body: JsonObject, added: AddedMessages): void {
  const { before, behind } = instructions(added)
  const given = asText(body.instructions)
  if (before.length + behind.length > 0) body.instructions = [...before, ...(given === '' ? [] : [given]), ...behind].join('\n\n')
  const around = spoken(added)
  if (around.prepend.length + around.append.length === 0) return
  const items = Array.isArray(body.input) ? body.input : [{ type: 'message', role: 'user', content: asText(body.input) }]
  body.input = withAdded(items, around, {
    messageOf: ({ role, text }) => ({ type: 'message', role, content: text }),
    // Nobody begins an answer here.
    isAnswer: () => false,
  })
}
