/**
 * The fields of a tool call as vendors write them, read one by one: what could be read in two ways is refused, what only
 * has another form than the dialect documents is put right.
 */
import { randomText } from '../../../core/ids.ts'
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { isAbsent, malformed, objectsOf } from '../../request/fields.ts'

/** Brings the calls of a whole answer into the documented form. True when something had to change. Throws `upstream.malformed`. */
export function normaliseAnswer(answer: JsonObject): boolean {
  let isEdited = false
  for (const { message, finish_reason: finish } of objectsOf(answer.choices)) {
    if (!isObject(message)) continue
    if (!isAbsent(message.tool_calls) && !Array.isArray(message.tool_calls)) throw malformed('tool_calls of its answer is not an array')
    for (const call of message.tool_calls ?? []) {
      if (!isObject(call)) throw malformed('a tool call of its answer is not an object')
      if (normaliseType(call)) isEdited = true
      if (textOr(call.id, 'the id of a tool call of its answer') === '') {
        call.id = newCallId()
        isEdited = true
      }
      const made = madeOf(call)
      if (made === undefined) continue
      textOr(made.name, 'the name of a tool call of its answer')
      // A call that the length limit cut off before its arguments has none yet.
      const none = made === call.function && isAbsent(made.arguments) ? (finish === 'length' ? '' : '{}') : undefined
      const text = argumentsText(made) ?? none
      if (text === undefined) continue
      made[argumentsField(call)] = text
      isEdited = true
    }
  }
  return isEdited
}

/**
 * The text a `content` brings: of a delta or a message, as one text or as a list of parts. Parts of other kinds say
 * nothing. Throws `upstream.malformed` for what is neither.
 */
export function deltaText(content: JsonValue | undefined): string {
  if (isAbsent(content)) return ''
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw malformed('content of its answer is neither text nor a list of parts')
  return content.map(partText).join('')
}

function partText(part: JsonValue): string {
  if (!isObject(part)) throw malformed('a part of the content of its answer is not an object')
  return part.type === 'text' ? textOr(part.text, 'a text part of its answer') : ''
}

/** An id for a call that its vendor gave none. */
export function newCallId(): string {
  return `call_${randomText(24)}`
}

/** Text, or none. Throws `upstream.malformed` for anything that somebody else might read as text. */
export function textOr(value: JsonValue | undefined, what: string): string {
  if (isAbsent(value)) return ''
  if (typeof value !== 'string') throw malformed(`${what} is not text`)
  return value
}

/** An empty type says nothing: the fields tell. True when it was put right. Throws `upstream.malformed`. */
export function normaliseType(call: JsonObject): boolean {
  const { type } = call
  if (isAbsent(type) || type === 'function' || type === 'custom') return false
  if (type !== '') throw malformed('a tool call of its answer is neither a function nor a custom call')
  call.type = isAbsent(call.custom) ? 'function' : 'custom'
  return true
}

/** What a call calls, and with what. Throws `upstream.malformed` when it says two things. */
export function madeOf(call: JsonObject): JsonObject | undefined {
  const { function: made, custom } = call
  if (!isAbsent(made) && !isAbsent(custom)) throw malformed('a tool call of its answer is of two types')
  const value = isAbsent(made) ? custom : made
  if (isAbsent(value)) return undefined
  if (!isObject(value)) throw malformed('what a tool call of its answer calls is not an object')
  const said = call.type
  if (!isAbsent(said) && said !== '' && said !== (isAbsent(made) ? 'custom' : 'function'))
    throw malformed('a tool call of its answer is of two types')
  return value
}

function argumentsField(call: JsonObject): 'arguments' | 'input' {
  return isAbsent(call.custom) ? 'arguments' : 'input'
}

/** Arguments that are an object, as text; undefined when they are text already, or absent. Throws `upstream.malformed` for anything else. */
export function argumentsText(made: JsonObject): string | undefined {
  for (const field of ['arguments', 'input']) {
    const value = made[field]
    if (isAbsent(value) || typeof value === 'string') continue
    if (field === 'input' || !isObject(value)) throw malformed('the arguments of a tool call of its answer are neither text nor an object')
    return JSON.stringify(value)
  }
  return undefined
}
