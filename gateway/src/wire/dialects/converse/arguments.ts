/** Writes what calls of Converse are made with, in a history and in an answer. */
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { WrittenArguments } from '../../dialect.ts'
import { objectsOf } from '../../request/fields.ts'
import { callOf } from './answer.ts'

export function writeConverseArguments(body: JsonObject, messageIndex: number, callId: string, args: JsonObject): void {
  writeInto(Array.isArray(body.messages) ? body.messages[messageIndex] : undefined, new Map([[callId, args]]))
}

export function writeArgumentsOfConverse(response: JsonObject, args: WrittenArguments): void {
  writeInto(isObject(response.output) ? response.output.message : undefined, args)
}

function writeInto(message: JsonValue | undefined, args: WrittenArguments): void {
  if (!isObject(message) || !Array.isArray(message.content)) return
  message.content = objectsOf(message.content).map((block) => {
    const call = callOf(block)
    const input = args.get(asText(call?.toolUseId))
    return call === undefined || input === undefined ? block : { ...block, toolUse: { ...call, input } }
  })
}
