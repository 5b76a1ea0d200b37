/**
 * Views and edits of a chat-completions response that is not streamed. A call the lens cannot read is never passed
 * over: the response is refused instead.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { assistantText, readChatCall } from './views.ts'
import type { ResponseView, ToolCallView } from '../../dialect.ts'
import { isAbsent, malformed, objectsOf } from '../../request/fields.ts'
import { joinRounds } from '../round-text.ts'
import { asUpstreamError } from '../upstream-fields.ts'
import { addChatUsage, readChatUsage } from './usage.ts'

const finishes: Readonly<Record<string, ResponseView['finish']>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  content_filter: 'refusal',
}

/** What a `finish_reason` means. */
export function chatFinish(reason: JsonValue | undefined): ResponseView['finish'] {
  return typeof reason === 'string' && Object.hasOwn(finishes, reason) ? (finishes[reason] ?? 'other') : 'other'
}

export function readChatResponse(body: JsonObject): ResponseView {
  if (!Array.isArray(body.choices) || body.choices.length === 0) throw malformed('the response has no choices')
  const texts: string[] = []
  const calls: ToolCallView[] = []
  let finish: ResponseView['finish'] = 'other'
  for (const [index, choice] of body.choices.entries()) {
    if (!isObject(choice) || !isObject(choice.message)) throw malformed(`choices[${index}] of the response has no message`)
    const { message } = choice
    if (!isAbsent(message.function_call)) throw malformed('the response carries a deprecated function_call')
    texts.push(asUpstreamError(() => assistantText(message, `choices[${index}].message`)))
    for (const view of readResponseCalls(message, `choices[${index}].message.tool_calls`)) {
      if (calls.some((other) => other.id === view.id)) throw malformed('two tool calls of the response have the same id')
      calls.push(view)
    }
    if (index === 0) finish = asText(message.refusal) === '' ? chatFinish(choice.finish_reason) : 'refusal'
  }
  const cutCalls = finish === 'length' ? calls.filter((call, at) => isCut(call, at === calls.length - 1)).map(({ id }) => id) : []
  return {
    id: asText(body.id),
    model: asText(body.model),
    text: texts.filter((text) => text !== '').join('\n'),
    calls: cutCalls.length === 0 ? calls : calls.filter(({ id }) => !cutCalls.includes(id)),
    cutCalls,
    finish: calls.length > 0 && (finish === 'stop' || finish === 'other') ? 'tool_calls' : finish,
    usage: readChatUsage(body.usage),
  }
}

/** Whether the length limit fell into a call: its arguments are no JSON object, or had not begun. */
function isCut({ args, argsText }: ToolCallView, isLast: boolean): boolean {
  return args === undefined || (isLast && argsText.trim() === '')
}

function readResponseCalls(message: JsonObject, path: string): ToolCallView[] {
  if (isAbsent(message.tool_calls)) return []
  if (!Array.isArray(message.tool_calls)) throw malformed(`${path} of the response is not an array`)
  return message.tool_calls.map((call, index) => {
    if (!isObject(call)) throw malformed(`${path}[${index}] of the response is not an object`)
    return asUpstreamError(() => readChatCall(call, `${path}[${index}]`))
  })
}

/** The first choice's message; only what a history may carry. */
export function chatAssistantMessage(response: JsonObject): JsonObject {
  const message = objectsOf(response.choices)[0]?.message
  if (!isObject(message)) return { role: 'assistant', content: null }
  const kept: JsonObject = { content: null, ...message, role: 'assistant' }
  delete kept.annotations
  for (const [key, value] of Object.entries(message)) {
    const isEmpty = value === null || (Array.isArray(value) && value.length === 0)
    if (isEmpty && key !== 'content') delete kept[key]
  }
  if (isObject(kept.audio)) kept.audio = { id: kept.audio.id ?? null }
  return kept
}

export function nativeChatCall(response: JsonObject, callId: string): JsonObject | undefined {
  for (const message of messagesOf(response)) {
    const found = objectsOf(message.tool_calls).find((call) => call.id === callId)
    if (found !== undefined) return found
  }
  return undefined
}

export function dropChatCalls(response: JsonObject, ids: ReadonlySet<string>): void {
  for (const choice of objectsOf(response.choices)) {
    const { message } = choice
    if (!isObject(message) || !Array.isArray(message.tool_calls)) continue
    const kept = objectsOf(message.tool_calls).filter((call) => !ids.has(asText(call.id)))
    if (kept.length === message.tool_calls.length) continue
    if (kept.length > 0) {
      message.tool_calls = kept
      continue
    }
    delete message.tool_calls
    // A message of calls only has no content; without them clients expect some text.
    message.content ??= ''
    if (choice.finish_reason === 'tool_calls') choice.finish_reason = 'stop'
  }
}

export function mergeChatEarlier(response: JsonObject, earlier: { readonly text: string; readonly usage: readonly UsageRecord[] }): void {
  for (const message of messagesOf(response)) message.content = joinContent(earlier.text, message.content)
  if (earlier.usage.length > 0) response.usage = addChatUsage(response.usage, earlier.usage)
}

export function appendChatText(response: JsonObject, text: string): void {
  for (const message of messagesOf(response)) {
    message.content = Array.isArray(message.content)
      ? [...message.content, { type: 'text', text }]
      : joinRounds(asText(message.content), text)
  }
}

function joinContent(earlier: string, content: JsonValue | undefined): JsonValue {
  if (earlier === '') return content ?? null
  return Array.isArray(content) ? [{ type: 'text', text: earlier }, ...content] : joinRounds(earlier, asText(content))
}

function messagesOf(response: JsonObject): JsonObject[] {
  return objectsOf(response.choices).flatMap((choice) => (isObject(choice.message) ? [choice.message] : []))
}
