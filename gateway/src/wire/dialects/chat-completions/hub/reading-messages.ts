/** The messages of a chat-completions request in the neutral form. */
import type { JsonObject, JsonValue } from '../../../../core/json.ts'
import { given, objectOf, othersOf, stringOf, tag } from '../../../hub/loose-fields.ts'
import type { Extras, HubDemand, HubMessage, HubPart } from '../../../hub/conversation.ts'
import { tagOf } from '../../../hub/tags.ts'
import { readToolError } from '../../../hub/tool-errors.ts'
import { invalid, requireName, requireObjects, unsupported } from '../../../request/fields.ts'
import { readFilePart, readImagePart } from './media.ts'
import { namedReasoning, signedReasoning, stateFields, stateOfCalls, stateOfMessages } from './reasoning.ts'

const known: ReadonlySet<string> = new Set([
  'role',
  'content',
  'tool_calls',
  'tool_call_id',
  'refusal',
  'function_call',
  'cache_control',
  'reasoning_content',
  'reasoning',
  'thinking_blocks',
  ...stateOfMessages,
])

/** Throws `request.invalid` / `request.unsupported` naming the message. `demands` gets the fields that only this family can carry. */
export function readMessages(value: JsonValue | undefined, demands: HubDemand[]): HubMessage[] {
  return requireObjects(value, 'messages').map((message, index) => {
    const at = `messages[${index}]`
    const extras: Extras = { openai: othersOf(message, known) }
    switch (message.role) {
      case 'system':
      case 'developer':
        return { role: 'system', parts: withCache(message, readContent(message.content, `${at}.content`)), index, at, extras }
      case 'user':
        return { role: 'user', parts: withCache(message, readContent(message.content, `${at}.content`)), index, at, extras }
      case 'assistant':
        return { role: 'assistant', parts: readAssistant(message, at, demands), index, at, extras }
      case 'tool':
        return { role: 'user', parts: [readResult(message, at)], index, at, extras }
      default:
        throw unsupported(`${at}.role`, `role ${tag(message.role)} has no counterpart in another dialect`)
    }
  })
}

function readAssistant(message: JsonObject, at: string, demands: HubDemand[]): HubPart[] {
  if (given(message, 'function_call') !== undefined) throw unsupported(`${at}.function_call`, 'it is deprecated', 'Use `tool_calls`.')
  const audio = given(message, 'audio')
  if (audio !== undefined) demands.push({ family: 'openai', field: `${at}.audio`, value: audio })
  const refusal = stringOf(message.refusal) ?? ''
  const said = withCache(message, [
    ...readContent(message.content, `${at}.content`),
    ...(refusal === '' ? [] : [{ kind: 'refusal' as const, text: refusal, at: `${at}.refusal` }]),
  ])
  return [...readReasoning(message, undefined), ...readState(message, undefined), ...said, ...readCalls(message, at)]
}

/** Reasoning of a message: what was signed, or else what it says, which is the same in other words. */
export function readReasoning(message: JsonObject, upstream: string | undefined): HubPart[] {
  const signed = signedReasoning(message.thinking_blocks)
  if (signed.length > 0) return signed
  const named = namedReasoning(message)
  return named === undefined ? [] : [{ kind: 'reasoning', text: named.text, origin: { by: 'name', name: named.name, upstream } }]
}

/** What an upstream hung on a message. */
export function readState(message: JsonObject, upstream: string | undefined): HubPart[] {
  const fields = stateFields(message, stateOfMessages)
  return fields === undefined ? [] : [{ kind: 'state', call: undefined, upstream, fields }]
}

function readCalls(message: JsonObject, field: string): HubPart[] {
  const calls = given(message, 'tool_calls')
  if (calls === undefined) return []
  return requireObjects(calls, `${field}.tool_calls`).flatMap((call, index) => readCall(call, `${field}.tool_calls[${index}]`, undefined))
}

/** An entry of `tool_calls`, after what hangs on it. */
export function readCall(call: JsonObject, at: string, upstream: string | undefined): HubPart[] {
  if (call.type !== undefined && call.type !== null && call.type !== 'function')
    return [{ kind: 'native', family: 'openai', called: `a call of type ${tag(call.type)}`, value: call, isCall: true, at }]
  const id = requireName(call.id, `${at}.id`)
  const made = objectOf(call.function)
  const name = requireName(made?.name, `${at}.function.name`)
  const fields = stateFields(call, stateOfCalls)
  const state: HubPart[] = fields === undefined ? [] : [{ kind: 'state', call: tagOf(id), upstream, fields }]
  return [...state, { kind: 'call', id, name, args: { text: stringOf(made?.arguments) ?? '' }, at }]
}

function readResult(message: JsonObject, at: string): HubPart {
  const callId = requireName(message.tool_call_id, `${at}.tool_call_id`)
  const { content, isError } = readToolError(readContent(message.content, `${at}.content`))
  return { kind: 'result', callId, content, isError, cache: given(message, 'cache_control'), at: `${at}.tool_call_id` }
}

/** Parts of a `content`; a text of nothing is none. */
export function readContent(content: JsonValue | undefined, field: string): HubPart[] {
  if (content === undefined || content === null || content === '') return []
  if (typeof content === 'string') return [{ kind: 'text', text: content, at: field }]
  return requireObjects(content, field).flatMap((part, index) => readPart(part, `${field}[${index}]`))
}

function readPart(part: JsonObject, at: string): HubPart[] {
  const cache = given(part, 'cache_control')
  switch (part.type) {
    case 'text': {
      if (typeof part.text !== 'string') throw invalid(`${at}.text`, 'it must be a string')
      return [{ kind: 'text', text: part.text, at, cache }]
    }
    case 'refusal':
      return [{ kind: 'refusal', text: stringOf(part.refusal) ?? '', at, cache }]
    case 'image_url':
      return [{ ...readImagePart(part, at), cache }]
    case 'file':
      return [{ ...readFilePart(part, at), cache }]
    case 'thinking':
      // Read with the other names for reasoning.
      return []
    default:
      return [{ kind: 'native', family: 'openai', called: `a part of type ${tag(part.type)}`, value: part, isCall: false, at }]
  }
}

/** A marker on the message itself is one on its last part that says something. */
function withCache(message: JsonObject, parts: HubPart[]): HubPart[] {
  const cache = given(message, 'cache_control')
  const last = parts.findLastIndex((part) => part.kind === 'media' || (part.kind === 'text' && part.text.trim() !== ''))
  const marked = parts[last]
  if (cache !== undefined && (marked?.kind === 'text' || marked?.kind === 'media')) parts[last] = { ...marked, cache }
  return parts
}
