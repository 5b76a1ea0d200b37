/** Writes what calls of the Responses dialect are made with: in a history, in an answer, and in the events of a stream. */
import { asText, isObject, type JsonObject } from '../../../core/json.ts'
import type { WrittenArguments } from '../../dialect.ts'
import { objectsOf } from '../../request/fields.ts'
import { canWrite } from './calls.ts'
import { endOfAnswer } from './views.ts'

export function writeResponsesArguments(body: JsonObject, itemIndex: number, callId: string, args: JsonObject): void {
  const items = Array.isArray(body.input) ? body.input : []
  for (let index = itemIndex; index < endOfAnswer(items, itemIndex); index += 1) {
    const item = items[index]
    if (isObject(item)) items[index] = writtenItem(item, new Map([[callId, args]]))
  }
}

export function writeArgumentsOfResponse(response: JsonObject, args: WrittenArguments): void {
  response.output = objectsOf(response.output).map((item) => writtenItem(item, args))
}

/** An item with what its call is made with; the same one when nothing is written for it. */
export function writtenItem(item: JsonObject, args: WrittenArguments): JsonObject {
  const written = canWrite(item) ? args.get(asText(item.call_id)) : undefined
  if (written === undefined) return item
  return item.type === 'custom_tool_call' ? { ...item, input: asText(written.input) } : { ...item, arguments: JSON.stringify(written) }
}

/** Arguments that are released instead of those that the model wrote, by the index of their item. */
export class WrittenItems {
  readonly args: WrittenArguments
  readonly #calls: ReadonlyMap<number, JsonObject>
  readonly #told = new Set<number>()

  constructor(args: WrittenArguments, calls: readonly { readonly index: number; readonly native: JsonObject }[]) {
    this.args = args
    this.#calls = new Map(
      calls.flatMap(({ index, native }) => (args.has(asText(native.call_id)) ? [[index, writtenItem(native, args)]] : [])),
    )
  }

  /** An event of an item as it is told: the first fragment has all of the arguments, the others are left out. */
  event(payload: JsonObject, index: number): JsonObject | undefined {
    const call = this.#calls.get(index)
    if (call === undefined) return payload
    const text = asText(call.type === 'custom_tool_call' ? call.input : call.arguments)
    const { item, delta } = payload
    if (isObject(item)) {
      // Where the item begins it has most often no arguments yet.
      const isBegun = payload.type === 'response.output_item.added' && asText(item.arguments ?? item.input) === ''
      return isBegun ? payload : { ...payload, item: writtenItem(item, this.args) }
    }
    if (typeof delta === 'string') {
      if (this.#told.has(index)) return undefined
      this.#told.add(index)
      return { ...payload, delta: text }
    }
    if (payload.arguments !== undefined) return { ...payload, arguments: text }
    return payload.input === undefined ? payload : { ...payload, input: text }
  }
}
