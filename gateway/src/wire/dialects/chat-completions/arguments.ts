/** Writes what calls of chat completions are made with: in a history, in an answer, and in the chunks of a stream. */
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { WrittenArguments } from '../../dialect.ts'
import { isAbsent, objectsOf } from '../../request/fields.ts'
import { choiceIndex } from './round.ts'

export function writeChatArguments(body: JsonObject, messageIndex: number, callId: string, args: JsonObject): void {
  writeInto(Array.isArray(body.messages) ? body.messages[messageIndex] : undefined, new Map([[callId, args]]))
}

export function writeArgumentsOfChat(response: JsonObject, args: WrittenArguments): void {
  for (const { message } of objectsOf(response.choices)) writeInto(message, args)
}

function writeInto(message: JsonValue | undefined, args: WrittenArguments): void {
  if (!isObject(message) || !Array.isArray(message.tool_calls)) return
  message.tool_calls = objectsOf(message.tool_calls).map((call) => {
    const written = args.get(asText(call.id))
    if (written === undefined) return call
    return isObject(call.custom)
      ? { ...call, custom: { ...call.custom, input: textOf(written, true) } }
      : { ...call, function: { ...(isObject(call.function) ? call.function : {}), arguments: textOf(written, false) } }
  })
}

/** A custom tool is called with one text. */
function textOf(args: JsonObject, isCustom: boolean): string {
  return isCustom ? asText(args.input) : JSON.stringify(args)
}

/** Arguments that are released instead of those that the model wrote, by choice and index of their call. */
export class WrittenFragments {
  readonly #texts = new Map<string, string>()

  constructor(
    args: WrittenArguments,
    calls: readonly { readonly choice: number; readonly index: number; readonly id: string; readonly type: string }[],
  ) {
    for (const { choice, index, id, type } of calls) {
      const written = args.get(id)
      if (written !== undefined) this.#texts.set(`${choice}:${index}`, textOf(written, type === 'custom'))
    }
  }

  /** Puts all of them into the first fragment of their call, and nothing into the others. Edits the chunk. True when it did. */
  write(chunk: JsonObject): boolean {
    let isEdited = false
    if (this.#texts.size === 0) return isEdited
    for (const choice of objectsOf(chunk.choices)) {
      if (!isObject(choice.delta)) continue
      for (const call of objectsOf(choice.delta.tool_calls)) {
        const key = `${choiceIndex(choice)}:${Number(call.index)}`
        const text = this.#texts.get(key)
        const field = isObject(call.custom) ? 'input' : 'arguments'
        const made = isObject(call.custom) ? call.custom : call.function
        if (text === undefined || !isObject(made) || isAbsent(made[field])) continue
        made[field] = text
        this.#texts.set(key, '')
        isEdited = true
      }
    }
    return isEdited
  }
}
