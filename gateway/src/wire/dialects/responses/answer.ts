/**
 * Views and edits of a response that is not streamed. A call the lens cannot read is never passed over: the response is
 * refused instead.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import { randomText } from '../../../core/ids.ts'
import { asText, isObject, type JsonObject } from '../../../core/json.ts'
import type { ResponseView, ToolCallView } from '../../dialect.ts'
import { malformed, objectsOf } from '../../request/fields.ts'
import { joinRounds } from '../round-text.ts'
import { asUpstreamError } from '../upstream-fields.ts'
import { isClientCall, readCall } from './calls.ts'
import { answeredItems, isVendorRun, textOfItem } from './items.ts'
import { addResponsesUsage, readResponsesUsage } from './usage.ts'

export function readResponsesResponse(body: JsonObject): ResponseView {
  if (!Array.isArray(body.output)) throw malformed('the response has no output')
  const items = answeredItems(body.output)
  const calls: ToolCallView[] = []
  const cutCalls: string[] = []
  for (const [index, item] of items.entries()) {
    if (!isClientCall(item)) continue
    const view = asUpstreamError(() => readCall(item, `output[${index}]`))
    if ([...calls.map(({ id }) => id), ...cutCalls].includes(view.id)) throw malformed('two tool calls of the response have the same id')
    if (isCut(body, item, view)) cutCalls.push(view.id)
    else calls.push(view)
  }
  return {
    id: asText(body.id),
    model: asText(body.model),
    text: textOfItems(items),
    calls,
    cutCalls,
    finish: responsesFinish(body, items),
    usage: readResponsesUsage(body.usage),
    vendorRan: items.some(isVendorRun),
  }
}

/** Whether a call was being written when its response was broken off. */
export function isCut(response: JsonObject, call: JsonObject, view: ToolCallView): boolean {
  return (
    response.status === 'incomplete' &&
    (call.status === 'incomplete' || call.status === 'in_progress' || view.args === undefined || view.argsText.trim() === '')
  )
}

/** Why a response ended. */
export function responsesFinish(response: JsonObject, items: readonly JsonObject[]): ResponseView['finish'] {
  const reason = isObject(response.incomplete_details) ? response.incomplete_details.reason : undefined
  if (response.status === 'incomplete') return reason === 'max_output_tokens' ? 'length' : reason === 'content_filter' ? 'refusal' : 'other'
  if (items.some(isClientCall)) return 'tool_calls'
  return items.some((item) => objectsOf(item.content).some((part) => part.type === 'refusal')) ? 'refusal' : 'stop'
}

/** The words of an answer's items, as a view of them has them. */
export function textOfItems(items: readonly JsonObject[]): string {
  return asUpstreamError(() => items.flatMap((item, index) => textOfItem(item, `output[${index}]`)).join('\n'))
}

/** An answer as the history carries it: its items, under one name. */
export function assistantOf(items: readonly JsonObject[]): JsonObject {
  return { role: 'assistant', output: [...items] }
}

/** The items of an answer that was kept; one that we worded ourselves is a message. */
export function itemsOfAssistant(assistant: JsonObject): JsonObject[] {
  if (Array.isArray(assistant.output)) return objectsOf(assistant.output)
  return [{ type: 'message', role: 'assistant', content: asText(assistant.content) }]
}

export function responsesAssistantMessage(response: JsonObject): JsonObject {
  return assistantOf(objectsOf(response.output))
}

export function nativeResponsesCall(response: JsonObject, callId: string): JsonObject | undefined {
  return objectsOf(response.output).find((item) => isClientCall(item) && item.call_id === callId)
}

export function dropResponsesCalls(response: JsonObject, ids: ReadonlySet<string>): void {
  setOutput(
    response,
    objectsOf(response.output).filter((item) => !isClientCall(item) || !ids.has(asText(item.call_id))),
  )
}

export function mergeResponsesEarlier(
  response: JsonObject,
  earlier: { readonly text: string; readonly usage: readonly UsageRecord[] },
): void {
  if (earlier.text !== '') setOutput(response, [textItem(earlier.text), ...objectsOf(response.output)])
  if (earlier.usage.length > 0) response.usage = addResponsesUsage(response.usage, earlier.usage)
}

export function appendResponsesText(response: JsonObject, text: string): void {
  const items = objectsOf(response.output)
  const firstCall = items.findIndex(isClientCall)
  if (firstCall >= 0) {
    // What a call was reasoned with must stay right before it.
    let at = firstCall
    while (at > 0 && items[at - 1]?.type === 'reasoning') at -= 1
    setOutput(response, [...items.slice(0, at), textItem(text), ...items.slice(at)])
    return
  }
  const last = items.at(-1)
  const parts = objectsOf(last?.content)
  const part = parts.at(-1)
  // Some clients show the last text of an answer only.
  if (last?.type === 'message' && part?.type === 'output_text') {
    const longer = { ...part, text: joinRounds(asText(part.text), text) }
    setOutput(response, [...items.slice(0, -1), { ...last, content: [...parts.slice(0, -1), longer] }])
  } else setOutput(response, [...items, textItem(text)])
}

/** A message of the gateway's own. */
export function textItem(text: string): JsonObject {
  const part = { type: 'output_text', text, annotations: [], logprobs: [] }
  return { id: `msg_${randomText(48)}`, type: 'message', status: 'completed', role: 'assistant', content: [part] }
}

/** Some servers repeat the text beside the items. */
function setOutput(response: JsonObject, items: JsonObject[]): void {
  response.output = items
  if (typeof response.output_text !== 'string') return
  response.output_text = items
    .flatMap((item) => (item.type === 'message' ? objectsOf(item.content) : []))
    .map((part) => (part.type === 'output_text' ? asText(part.text) : ''))
    .join('')
}
