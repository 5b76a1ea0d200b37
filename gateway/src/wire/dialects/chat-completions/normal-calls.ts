/**
 * Vendors that speak chat-completions leave out what the dialect asks for: the index of a call, its id, its type, the text
 * form of its arguments. Here their answers get the documented form before anybody reads them, so that what is decided,
 * what a client puts together and what a conversion sends are one thing. What could be read in two ways is refused.
 */
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { isAbsent, malformed, objectsOf } from '../../request/fields.ts'
import { argumentsText, deltaText, madeOf, newCallId, normaliseType, textOr } from './call-fields.ts'

type CallType = 'function' | 'custom'

/** A call of a stream as far as it has come. */
interface OpenCall {
  readonly index: number
  readonly id: string
  /** The id is ours, because the vendor gave none. */
  readonly isOurs: boolean
  type: CallType | undefined
  name: string
  hasText: boolean
  /** The arguments came as one object: nothing can follow. */
  isWhole: boolean
}

/** The calls of one choice. */
interface ChoiceCalls {
  readonly calls: OpenCall[]
  /** The vendor's own number -> the call it means now: some number every call 0. */
  readonly byNumber: Map<number, OpenCall>
  last: OpenCall | undefined
}

/** Calls one answer may have over all its choices. */
const maxCalls = 1024

/** Brings the chunks of one stream into the documented form. */
export class NormalCalls {
  readonly #choices = new Map<number, ChoiceCalls>()
  #count = 0

  /** Edits a chunk in place. True when something had to change. Throws `upstream.malformed`. */
  read(chunk: JsonObject): boolean {
    let isEdited = false
    for (const choice of objectsOf(chunk.choices)) {
      refuseCallsElsewhere(choice.message)
      if (isAbsent(choice.delta)) continue
      if (!isObject(choice.delta)) throw malformed('the delta of a choice of its stream is not an object')
      const { delta } = choice
      if (!isAbsent(delta.function_call)) throw malformed('its stream carries a deprecated function_call')
      deltaText(delta.content)
      if (isAbsent(delta.tool_calls)) continue
      if (!Array.isArray(delta.tool_calls)) throw malformed('tool_calls of its stream is not an array')
      if (delta.tool_calls.length > 0 && this.#readCalls(this.#callsOf(choice), delta.tool_calls)) isEdited = true
    }
    return isEdited
  }

  #callsOf(choice: JsonObject): ChoiceCalls {
    const index = typeof choice.index === 'number' ? choice.index : 0
    let calls = this.#choices.get(index)
    if (calls === undefined) {
      calls = { calls: [], byNumber: new Map(), last: undefined }
      this.#choices.set(index, calls)
    }
    return calls
  }

  #readCalls(choice: ChoiceCalls, fragments: readonly JsonValue[]): boolean {
    let isEdited = false
    for (const fragment of fragments) {
      if (!isObject(fragment)) throw malformed('a tool call of its stream is not an object')
      if (normaliseType(fragment)) isEdited = true
      const id = textOr(fragment.id, 'the id of a tool call of its stream')
      const made = madeOf(fragment)
      const name = textOr(made?.name, 'the name of a tool call of its stream')
      const call = this.#callOf(choice, fragment.index, id, name)
      if (call.index !== fragment.index) {
        fragment.index = call.index
        isEdited = true
      }
      if (nameCall(call, fragment, made, id, name)) isEdited = true
      if (made !== undefined && addArguments(call, made)) isEdited = true
    }
    return isEdited
  }

  /** The call a fragment belongs to: by its number, by its id, or the one that is being made. */
  #callOf(choice: ChoiceCalls, number: JsonValue | undefined, id: string, name: string): OpenCall {
    let call: OpenCall | undefined
    if (isAbsent(number)) {
      const known = id === '' ? undefined : choice.calls.find((one) => one.id === id)
      call = known ?? (id === '' && name === '' ? choice.last : undefined)
      if (call === undefined && id === '' && name === '') throw malformed('a tool call of its stream has neither index nor id nor name')
    } else {
      if (typeof number !== 'number' || !Number.isInteger(number) || number < 0) throw malformed('a tool call of its stream has no index')
      call = choice.byNumber.get(number)
      // Another call under the number of one before it, as it says itself.
      if (call !== undefined && id !== '' && id !== call.id && !call.isOurs && name !== '') call = undefined
    }
    call ??= this.#newCall(choice, number, id)
    if (typeof number === 'number') choice.byNumber.set(number, call)
    choice.last = call
    return call
  }

  #newCall(choice: ChoiceCalls, number: JsonValue | undefined, id: string): OpenCall {
    this.#count += 1
    if (this.#count > maxCalls) throw malformed(`its stream has more than ${maxCalls} tool calls`)
    const isTaken = (index: number): boolean => choice.calls.some((one) => one.index === index)
    let index = typeof number === 'number' && !isTaken(number) ? number : 0
    while (isTaken(index)) index += 1
    const call = { index, id: id === '' ? newCallId() : id, isOurs: id === '', type: undefined, name: '', hasText: false, isWhole: false }
    choice.calls.push(call)
    return call
  }
}

/** Takes id, type and name of a fragment. True when something was put right or taken out of it. */
function nameCall(call: OpenCall, fragment: JsonObject, made: JsonObject | undefined, id: string, name: string): boolean {
  let isEdited = false
  const isFirst = call.type === undefined && call.name === '' && !call.hasText
  const type: CallType | undefined = isAbsent(fragment.custom) ? (fragment.type === 'custom' ? 'custom' : made && 'function') : 'custom'
  if (type !== undefined && call.type !== undefined && call.type !== type) throw malformed('a tool call of its stream changes its type')
  call.type ??= type
  if (call.isOurs) {
    // The client has had ours since the first fragment of the call.
    if (isFirst && fragment.id !== call.id) {
      fragment.id = call.id
      isEdited = true
    } else if (!isFirst && id !== '') {
      delete fragment.id
      isEdited = true
    }
  } else if (id !== '' && id !== call.id) throw malformed('a tool call of its stream changes its id')
  if (name === '') return isEdited
  if (call.name === '') {
    call.name = name
    return isEdited
  }
  if (call.name !== name) {
    // Some vendors send a name in pieces. It is whole when the arguments begin: what follows would be another name.
    if (call.hasText) throw malformed('a tool call of its stream changes its name')
    call.name += name
    return isEdited
  }
  // Repeated, some clients keep it and others join it to the first.
  if (made !== undefined) delete made.name
  return true
}

/** Takes the arguments of a fragment. True when they were made into text. */
function addArguments(call: OpenCall, made: JsonObject): boolean {
  const field = call.type === 'custom' ? 'input' : 'arguments'
  if (isAbsent(made[field])) return false
  if (call.isWhole && made[field] !== '') throw malformed('the arguments of a tool call of its stream go on after their end')
  const text = argumentsText(made)
  if (text === undefined) {
    if (made[field] !== '') call.hasText = true
    return false
  }
  if (call.hasText) throw malformed('the arguments of a tool call of its stream are text and an object')
  call.isWhole = true
  call.hasText = true
  made[field] = text
  return true
}

/** A whole message in a chunk would be read by some clients and not by others. */
function refuseCallsElsewhere(message: JsonValue | undefined): void {
  if (!isObject(message)) return
  const hasCalls = Array.isArray(message.tool_calls) ? message.tool_calls.length > 0 : !isAbsent(message.tool_calls)
  if (hasCalls || !isAbsent(message.function_call)) throw malformed('its stream carries a tool call outside of a delta')
}
