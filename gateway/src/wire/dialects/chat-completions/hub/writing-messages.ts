/**
 * The messages of a chat-completions request from the neutral form. Results become tool messages right after the calls they
 * answer. Media inside a result follow in a user message of their own that names the call: the dialect takes them nowhere
 * else, and the user's own words stay apart from them.
 */
import { sha256 } from '../../../../core/hash.ts'
import type { JsonObject } from '../../../../core/json.ts'
import { argumentsText } from '../../../hub/call-arguments.ts'
import type { HubCall, HubMessage, HubNative, HubPart, HubResult, HubState } from '../../../hub/conversation.ts'
import { isClaudeModel, isMistralModel, isOpenAiModel } from '../../../hub/model-families.ts'
import { tagOf } from '../../../hub/tags.ts'
import { withToolError } from '../../../hub/tool-errors.ts'
import { unsupported } from '../../../request/fields.ts'
import { writeMedia } from './media.ts'
import { mayReturn, type ReasoningTarget, restoreReasoning, signedBlocks, stateFields, stateOfCalls, stateOfMessages } from './reasoning.ts'
import { chatName } from './tools.ts'

/** Introduces media that a tool result carried. */
export function mediaNotice(callId: string): string {
  return `[Media from the result of tool call ${callId}]`
}

/** Throws `request.unsupported` naming the part that has no form here. */
export function writeMessages(messages: readonly HubMessage[], target: ReasoningTarget): JsonObject[] {
  return turnsOf(messages).flatMap(({ role, parts, extras }) => {
    if (role === 'system') return [{ ...extras?.openai, role: 'system', content: systemText(parts) }]
    if (role === 'assistant') return assistantMessage(parts, extras?.openai, target)
    return userMessages(parts, extras?.openai, target)
  })
}

/** Nothing may stand between calls and their results: what the system says there comes after them. */
function inOrder(messages: readonly HubMessage[]): HubMessage[] {
  const ordered: HubMessage[] = []
  let waiting: HubMessage[] = []
  let isCalling = false
  for (const message of messages) {
    if (message.role === 'system' && isCalling) waiting.push(message)
    else {
      ordered.push(message)
      if (message.role !== 'system') isCalling = message.parts.some((part) => part.kind === 'call')
      if (isCalling || message.role === 'system') continue
      ordered.push(...waiting)
      waiting = []
    }
  }
  return [...ordered, ...waiting]
}

/** What follows one another from one side is one message, but for messages that have fields of their own. */
function turnsOf(messages: readonly HubMessage[]): HubMessage[] {
  const turns: HubMessage[] = []
  for (const message of inOrder(messages)) {
    const last = turns.at(-1)
    const isSame = last?.role === message.role && message.role !== 'system'
    if (last !== undefined && isSame && last.extras?.openai === undefined && message.extras?.openai === undefined)
      turns[turns.length - 1] = { ...last, parts: [...last.parts, ...message.parts] }
    else turns.push(message)
  }
  return turns
}

function systemText(parts: readonly HubPart[]): string {
  const texts = parts.map((part) => {
    if (part.kind === 'text') return part.text
    throw unsupported('at' in part ? part.at : 'system', 'system content is text only')
  })
  return texts.join('\n\n')
}

function assistantMessage(parts: readonly HubPart[], extras: JsonObject | undefined, target: ReasoningTarget): JsonObject[] {
  const refusal = parts.map((part) => (part.kind === 'refusal' ? part.text : '')).join('')
  const calls = parts.filter((part) => part.kind === 'call' || part.kind === 'native').filter((part) => part.kind === 'call' || part.isCall)
  const content = assistantContent(parts)
  if (content === null && refusal === '' && calls.length === 0) return []
  const message: JsonObject = { ...extras, role: 'assistant', content }
  if (refusal !== '') message.refusal = refusal
  restoreReasoning(message, parts, target)
  const signed = isClaudeModel(target.model) ? signedBlocks(parts) : []
  if (signed.length > 0) message.thinking_blocks = signed
  const states = parts.filter((part) => part.kind === 'state').filter(({ upstream }) => mayReturn(upstream, target))
  if (calls.length > 0) message.tool_calls = calls.map((call) => writeCall(call, states, target))
  for (const { call, fields } of states) if (call === undefined) Object.assign(message, stateFields(fields, stateOfMessages))
  return [message]
}

function assistantContent(parts: readonly HubPart[]): string | null {
  let text = ''
  for (const part of parts) {
    if (part.kind === 'text') text += part.text
    else if (part.kind === 'media' || part.kind === 'result')
      throw unsupported(part.at, 'chat-completions has no such part in what the assistant says')
    else if (part.kind === 'native' && !part.isCall) throw noCounterpart(part)
  }
  return text === '' ? null : text
}

function writeCall(call: HubCall | HubNative, states: readonly HubState[], target: ReasoningTarget): JsonObject {
  if (call.kind === 'native') {
    if (call.family === 'openai') return call.value
    throw noCounterpart(call)
  }
  const written: JsonObject = {
    id: chatCallId(call.id, target.model),
    type: 'function',
    function: { name: chatName(call.name, call.at, target.model), arguments: argumentsText(call.args) },
  }
  const tag = states.length === 0 ? '' : tagOf(call.id)
  for (const state of states) if (state.call === tag) Object.assign(written, stateFields(state.fields, stateOfCalls))
  return written
}

/** The same id every time, in the form the model's vendor takes: a call and its result stay together. */
function chatCallId(id: string, model: string): string {
  if (isMistralModel(model)) return /^[a-zA-Z0-9]{9}$/.test(id) ? id : sha256(id).slice(0, 9)
  return isOpenAiModel(model) && id.length > 40 ? `call_${sha256(id).slice(0, 32)}` : id
}

function userMessages(parts: readonly HubPart[], extras: JsonObject | undefined, target: ReasoningTarget): JsonObject[] {
  const written: JsonObject[] = []
  const carried: JsonObject[] = []
  for (const part of parts) {
    if (part.kind !== 'result') continue
    const id = chatCallId(part.callId, target.model)
    const { text, media } = resultContent(part)
    written.push({ ...extras, role: 'tool', tool_call_id: id, content: part.isError ? withToolError(text) : text })
    if (media.length > 0) carried.push({ type: 'text', text: mediaNotice(id) }, ...media)
  }
  if (carried.length > 0) written.push({ role: 'user', content: carried })
  const own = parts.flatMap((part) => (part.kind === 'result' ? [] : writePart(part)))
  if (own.length > 0 || written.length === 0) written.push({ ...extras, role: 'user', content: compact(own) })
  return written
}

function resultContent(result: HubResult): { readonly text: string; readonly media: JsonObject[] } {
  const written = result.content.flatMap(writePart)
  const texts = written.flatMap((part) => (part.type === 'text' && typeof part.text === 'string' ? [part.text] : []))
  return { text: texts.join('\n'), media: written.filter((part) => part.type !== 'text') }
}

function writePart(part: HubPart): JsonObject[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return [{ type: 'text', text: part.text }]
    case 'media':
      return writeMedia(part)
    case 'native':
      if (part.family === 'openai') return [part.value]
      if (part.text !== undefined) return [{ type: 'text', text: part.text }]
      throw noCounterpart(part)
    case 'call':
    case 'result':
      throw unsupported(part.at, 'chat-completions has no such part in what the user says')
    default:
      return []
  }
}

function noCounterpart(part: HubNative): Error {
  return unsupported(part.at, `${part.called} has no counterpart in chat-completions`)
}

/** One text part is sent as a string, which every chat server reads. */
function compact(parts: JsonObject[]): string | JsonObject[] {
  if (parts.length === 0) return ''
  const only = parts.length === 1 ? parts[0] : undefined
  return only?.type === 'text' && typeof only.text === 'string' ? only.text : parts
}
