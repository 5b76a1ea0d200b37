/**
 * Views and edits of a messages response that is not streamed. A call the lens cannot read is never passed over:
 * the response is refused instead.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import { asText, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { settleInput } from '../call-inputs.ts'
import { joinRounds } from '../round-text.ts'
import { asUpstreamError } from '../upstream-fields.ts'
import type { ResponseView, ToolCallView } from '../../dialect.ts'
import { malformed, objectsOf } from '../../request/fields.ts'
import { readToolUse, textOfBlocks } from './views.ts'
import { addMessagesUsage, readMessagesUsage } from './usage.ts'

const finishes: Readonly<Record<string, ResponseView['finish']>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'refusal',
}

/** What a `stop_reason` means. */
export function messagesFinish(reason: JsonValue | undefined): ResponseView['finish'] {
  return typeof reason === 'string' && Object.hasOwn(finishes, reason) ? (finishes[reason] ?? 'other') : 'other'
}

/** Brings the calls of an answer into the documented form. True when something had to change. Throws `upstream.malformed`. */
export function settleMessagesCalls(response: JsonObject): boolean {
  const calls = objectsOf(response.content).filter((block) => block.type === 'tool_use')
  return calls.filter((call) => settleInput(call, 'input')).length > 0
}

export function readMessagesResponse(body: JsonObject): ResponseView {
  const { content } = body
  if (!Array.isArray(content)) throw malformed('the response has no content')
  const text = asUpstreamError(() => textOfBlocks(content, 'content'))
  const calls: ToolCallView[] = []
  for (const [index, block] of objectsOf(content).entries()) {
    // Nobody can tell what a block without a type is, and some clients guess.
    if (block.type === '') throw malformed(`content[${index}] of the response has no type`)
    if (block.type !== 'tool_use') continue
    const view = asUpstreamError(() => readToolUse(block, `content[${index}]`))
    if (calls.some((other) => other.id === view.id)) throw malformed('two tool calls of the response have the same id')
    calls.push(view)
  }
  const finish = messagesFinish(body.stop_reason)
  // Nobody can tell from an input whether it is whole: what stands last was being written when the limit came.
  const last = objectsOf(content).at(-1)
  const cutCalls = finish === 'length' && last?.type === 'tool_use' ? [asText(last.id)] : []
  return {
    id: asText(body.id),
    model: asText(body.model),
    text,
    calls: calls.filter(({ id }) => !cutCalls.includes(id)),
    cutCalls,
    finish,
    usage: readMessagesUsage(body.usage),
    vendorRan: objectsOf(content).some(isVendorRun),
  }
}

/** What a model says by itself, and calls for the client: of everything else the vendor has run something, or shows what it found. */
const ownBlocks: ReadonlySet<string> = new Set(['text', 'thinking', 'redacted_thinking', 'tool_use'])

/** Whether a block shows that a tool of the vendor's has run. */
export function isVendorRun(block: JsonObject): boolean {
  return !ownBlocks.has(asText(block.type))
}

/** The response as the history carries it. Empty text, which the vendor writes but does not take back, is left out. */
export function messagesAssistantMessage(response: JsonObject): JsonObject {
  return { role: 'assistant', content: objectsOf(response.content).filter(isSayable) }
}

/** False for text blocks without text, which the vendor refuses in a history. */
export function isSayable(block: JsonObject): boolean {
  return block.type !== 'text' || asText(block.text) !== ''
}

export function nativeMessagesCall(response: JsonObject, callId: string): JsonObject | undefined {
  return objectsOf(response.content).find((block) => block.type === 'tool_use' && block.id === callId)
}

export function dropMessagesCalls(response: JsonObject, ids: ReadonlySet<string>): void {
  const blocks = objectsOf(response.content)
  const kept = blocks.filter((block) => block.type !== 'tool_use' || !ids.has(asText(block.id)))
  if (kept.length === blocks.length) return
  response.content = kept
  if (response.stop_reason === 'tool_use' && !kept.some((block) => block.type === 'tool_use')) response.stop_reason = 'end_turn'
}

export function mergeMessagesEarlier(
  response: JsonObject,
  earlier: { readonly text: string; readonly usage: readonly UsageRecord[] },
): void {
  if (earlier.text !== '') response.content = [{ type: 'text', text: earlier.text }, ...objectsOf(response.content)]
  if (earlier.usage.length > 0) response.usage = addMessagesUsage(response.usage, earlier.usage)
}

export function appendMessagesText(response: JsonObject, text: string): void {
  const blocks = objectsOf(response.content)
  const firstCall = blocks.findIndex((block) => block.type === 'tool_use')
  const last = blocks.at(-1)
  // Some clients show the last block of an answer only.
  if (firstCall < 0 && last?.type === 'text') {
    response.content = [...blocks.slice(0, -1), { ...last, text: joinRounds(asText(last.text), text) }]
    return
  }
  const added: JsonObject = { type: 'text', text }
  response.content = firstCall < 0 ? [...blocks, added] : [...blocks.slice(0, firstCall), added, ...blocks.slice(firstCall)]
}
