/**
 * Calls of Gemini's models. Many versions give them no id, and clients then send one of their own back; the gateway needs one
 * that is the same whenever the call is seen. It is made of what the call says, and of its number among equal calls of its
 * message, and never goes out on the wire. Ids of the wire only say which answer belongs to which call.
 */
import { sha256 } from '../../../core/hash.ts'
import { asText, canonicalJson, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { SplicedCall, ToolCallView } from '../../dialect.ts'
import { invalid, isAbsent, objectsOf, requireName, requireObject, unsupported } from '../../request/fields.ts'

const prefix = 'tw_call_'

/** Whether an id was made here. */
export function isMadeId(id: string): boolean {
  return id.startsWith(prefix)
}

/** An id made of a hash. */
export function madeId(hash: string): string {
  return prefix + hash.slice(0, 20)
}

/** Ids for the calls of one message, asked for in their order. */
export class CallReader {
  readonly #ids = new Set<string>()
  readonly #wireIds = new Set<string>()
  readonly #keepsWireIds: boolean

  /** `keepsWireIds`: an id of the wire is the call's own, for other vendors that will see it again. */
  constructor({ keepsWireIds = false }: { readonly keepsWireIds?: boolean } = {}) {
    this.#keepsWireIds = keepsWireIds
  }

  /** Goes on after calls that have been read before. */
  goOn(calls: readonly ToolCallView[]): void {
    for (const { id, wireId } of calls) {
      this.#ids.add(id)
      if (wireId !== undefined || this.#keepsWireIds) this.#wireIds.add(wireId ?? id)
    }
  }

  /** A part with a `functionCall`. Throws `request.invalid` naming the field. */
  read(part: JsonObject, path: string): ToolCallView {
    const at = `${path}.functionCall`
    const call = requireObject(part.functionCall, at)
    const name = requireName(call.name, `${at}.name`)
    if (!isAbsent(call.partialArgs) || call.willContinue === true) throw unsupported(at, 'arguments in pieces are not read here')
    const args = isAbsent(call.args) ? {} : requireObject(call.args, `${at}.args`)
    const argsText = canonicalJson(args)
    const wireId = asText(call.id)
    if (this.#wireIds.has(wireId)) throw invalid(`${at}.id`, 'another call of the message has this id')
    if (wireId !== '') this.#wireIds.add(wireId)
    const id = this.#keepsWireIds && wireId !== '' ? wireId : this.#made(name, argsText)
    this.#ids.add(id)
    return { id, name, args, argsText, ...(wireId === '' || wireId === id ? {} : { wireId }) }
  }

  #made(name: string, argsText: string): string {
    const start = madeId(sha256(`${name}\n${argsText}`))
    for (let number = 0; ; number += 1) {
      const id = number === 0 ? start : `${start}_${number}`
      if (!this.#ids.has(id)) return id
    }
  }
}

export function isCall(part: JsonObject): boolean {
  return isObject(part.functionCall)
}

/** The id a call has on the wire; '' when it has none. */
export function wireIdOf(part: JsonObject): string {
  return isObject(part.functionCall) ? asText(part.functionCall.id) : ''
}

/** The ids of the calls among these parts. */
export function idsOfParts(parts: readonly JsonObject[]): Map<JsonObject, string> {
  const reader = new CallReader()
  return new Map(parts.filter(isCall).map((part) => [part, reader.read(part, 'parts').id]))
}

/** The parts of a content; anything else in it is passed over. */
export function partsOf(content: JsonValue | undefined): JsonObject[] {
  return isObject(content) ? objectsOf(content.parts) : []
}

/** Whether a call is what parts end in. Empty text, which often carries the end of an answer, says nothing. */
export function endsInCall(parts: readonly JsonObject[]): boolean {
  const last = parts.findLast((part) => part.text !== '')
  return last !== undefined && isCall(last)
}

/** Parts as an answer has them: Google's clients take one without any for invalid, and forget the whole message. */
export function sayableParts(parts: readonly JsonObject[]): JsonObject[] {
  return parts.length === 0 ? [{ text: '' }] : [...parts]
}

/** What the model is told of a call that stayed here. */
export function noticePart(call: JsonObject, { name, notice, isAnswer }: Pick<SplicedCall, 'name' | 'notice' | 'isAnswer'>): JsonObject {
  const made = isObject(call.functionCall) ? call.functionCall : {}
  const id = asText(made.id)
  const response = isAnswer === true ? { output: notice } : { error: notice }
  return { functionResponse: { ...(id === '' ? {} : { id }), name: name === '' ? asText(made.name) : name, response } }
}
