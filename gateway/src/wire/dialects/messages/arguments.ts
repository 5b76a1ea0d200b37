/** Writes what calls of Messages are made with, in a history and in an answer. */
import { asText, isObject, type JsonObject } from '../../../core/json.ts'
import type { WrittenArguments } from '../../dialect.ts'
import { objectsOf } from '../../request/fields.ts'

export function writeMessagesArguments(body: JsonObject, messageIndex: number, callId: string, args: JsonObject): void {
  const message = Array.isArray(body.messages) ? body.messages[messageIndex] : undefined
  if (isObject(message) && Array.isArray(message.content)) message.content = writtenBlocks(message.content, new Map([[callId, args]]))
}

export function writeArgumentsOfMessage(response: JsonObject, args: WrittenArguments): void {
  response.content = writtenBlocks(response.content, args)
}

function writtenBlocks(content: JsonObject[string] | undefined, args: WrittenArguments): JsonObject[] {
  return objectsOf(content).map((block) => {
    const input = block.type === 'tool_use' ? args.get(asText(block.id)) : undefined
    return input === undefined ? block : { ...block, input }
  })
}
