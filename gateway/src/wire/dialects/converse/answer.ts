/**
 * Views and edits of a Converse response that is not streamed. A call the lens cannot read is never passed over: the response
 * is refused instead.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { settleInput } from '../call-inputs.ts'
import { joinRounds } from '../round-text.ts'
import { asUpstreamError } from '../upstream-fields.ts'
import type { ResponseView, ToolCallView } from '../../dialect.ts'
import { malformed, objectsOf } from '../../request/fields.ts'
import { isClientCall } from './tools.ts'
import { addConverseUsage, readConverseUsage } from './usage.ts'
import { readToolUse, textOfBlocks } from './views.ts'

const finishes: Readonly<Record<string, ResponseView['finish']>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  guardrail_intervened: 'refusal',
  content_filtered: 'refusal',
}

/** What a `stopReason` means. */
export function converseFinish(reason: JsonValue | undefined): ResponseView['finish'] {
  return typeof reason === 'string' && Object.hasOwn(finishes, reason) ? (finishes[reason] ?? 'other') : 'other'
}

/** The call of a block that the client would run. */
export function callOf(block: JsonObject | undefined): JsonObject | undefined {
  const call = block?.toolUse
  return isObject(call) && isClientCall(call) ? call : undefined
}

export function contentOf(response: JsonObject): JsonObject[] {
  const message = isObject(response.output) ? response.output.message : undefined
  return isObject(message) ? objectsOf(message.content) : []
}

function setContent(response: JsonObject, content: JsonObject[]): void {
  const output = isObject(response.output) ? response.output : {}
  const message = isObject(output.message) ? output.message : { role: 'assistant' }
  response.output = { ...output, message: { ...message, content } }
}

/** Brings the calls of an answer into the documented form. True when something had to change. Throws `upstream.malformed`. */
export function settleConverseCalls(response: JsonObject): boolean {
  const calls = contentOf(response).map(callOf)
  return calls.filter((call) => call !== undefined && settleInput(call, 'input')).length > 0
}

export function readConverseResponse(body: JsonObject): ResponseView {
  const message = isObject(body.output) ? body.output.message : undefined
  const content = isObject(message) ? message.content : undefined
  if (!Array.isArray(content)) throw malformed('the response has no content')
  const text = asUpstreamError(() => textOfBlocks(content, 'content'))
  const calls: ToolCallView[] = []
  for (const [index, block] of objectsOf(content).entries()) {
    if (block.toolUse === undefined || (isObject(block.toolUse) && !isClientCall(block.toolUse))) continue
    const view = asUpstreamError(() => readToolUse(block, `content[${index}]`))
    if (calls.some((other) => other.id === view.id)) throw malformed('two tool calls of the response have the same id')
    calls.push(view)
  }
  const finish = converseFinish(body.stopReason)
  // Nobody can tell from an input whether it is whole: what stands last was being written when the limit came.
  const last = callOf(objectsOf(content).at(-1))
  const cutCalls = finish === 'length' && last !== undefined ? [asText(last.toolUseId)] : []
  return {
    id: '',
    model: '',
    text,
    calls: calls.filter(({ id }) => !cutCalls.includes(id)),
    cutCalls,
    finish,
    usage: readConverseUsage(body.usage),
  }
}

/** The response as the history carries it. Empty text, which the vendor writes but does not take back, is left out. */
export function converseAssistantMessage(response: JsonObject): JsonObject {
  return { role: 'assistant', content: contentOf(response).filter(isSayable) }
}

/** False for text blocks without text, which the vendor refuses in a history. */
export function isSayable(block: JsonObject): boolean {
  return block.text !== ''
}

export function nativeConverseCall(response: JsonObject, callId: string): JsonObject | undefined {
  return contentOf(response).find((block) => callOf(block)?.toolUseId === callId)
}

export function dropConverseCalls(response: JsonObject, ids: ReadonlySet<string>): void {
  const blocks = contentOf(response)
  const kept = blocks.filter((block) => !ids.has(asText(callOf(block)?.toolUseId)))
  if (kept.length === blocks.length) return
  setContent(response, kept)
  if (response.stopReason === 'tool_use' && !kept.some((block) => callOf(block) !== undefined)) response.stopReason = 'end_turn'
}

export function mergeConverseEarlier(
  response: JsonObject,
  earlier: { readonly text: string; readonly usage: readonly UsageRecord[] },
): void {
  if (earlier.text !== '') setContent(response, [{ text: earlier.text }, ...contentOf(response)])
  if (earlier.usage.length > 0) response.usage = addConverseUsage(response.usage, earlier.usage)
}

export function appendConverseText(response: JsonObject, text: string): void {
  const blocks = contentOf(response)
  const firstCall = blocks.findIndex((block) => callOf(block) !== undefined)
  const last = blocks.at(-1)
  // Some clients show the last block of an answer only.
  if (firstCall < 0 && typeof last?.text === 'string')
    return setContent(response, [...blocks.slice(0, -1), { text: joinRounds(last.text, text) }])
  const at = firstCall < 0 ? blocks.length : firstCall
  setContent(response, [...blocks.slice(0, at), { text }, ...blocks.slice(at)])
}
