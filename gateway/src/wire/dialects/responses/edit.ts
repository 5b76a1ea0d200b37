/**
 * Edits of a responses request: putting back what denial splicing took out, and words of the gateway. Whatever is put back
 * leaves an input the vendor accepts: every call answered once, every reasoning right before what came of it.
 */
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { OfferedTool, SplicedRound, SpliceRecord } from '../../dialect.ts'
import { withNotices } from '../../request/restoring-order.ts'
import { itemsOfAssistant } from './answer.ts'
import { answeredId, isClientCall, isOutput, noticeItem, withText } from './calls.ts'
import { endOfAnswer } from './views.ts'

export function addResponsesTools(body: JsonObject, tools: readonly OfferedTool[]): void {
  const added = tools.map(({ name, description, inputSchema }) => ({
    type: 'function',
    name,
    description,
    parameters: inputSchema,
    strict: false,
  }))
  body.tools = [...(Array.isArray(body.tools) ? body.tools : []), ...added]
}

export function replaceResponsesResult(body: JsonObject, itemIndex: number, _position: number, text: string): void {
  const items = Array.isArray(body.input) ? body.input : []
  const item = items[itemIndex]
  if (isObject(item) && isOutput(item)) items[itemIndex] = withText(item, text)
}

export function restoreResponses(body: JsonObject, itemIndex: number, record: SpliceRecord): number {
  const items = Array.isArray(body.input) ? body.input : []
  const before = items.length
  const end = endOfAnswer(items, itemIndex)
  if (end === itemIndex) return 0
  const shown = items.slice(itemIndex, end).filter(isObject)
  const made = withDropped(deliveredItems(body, shown, record), record.dropped)
  let last = end
  for (let item = items[last]; isObject(item) && isOutput(item); item = items[last]) last += 1
  const answers = withNotices(
    items.slice(end, last).filter(isObject),
    made.filter(isClientCall).map((call) => call.call_id),
    record.dropped,
    answeredId,
    (one) => noticeItem(one.call, one),
  )
  items.splice(itemIndex, last - itemIndex, ...record.rounds.flatMap((round) => roundItems(body, round)), ...made, ...answers)
  return items.length - before
}

/** The items of the answer as the model made it, as far as the client has kept its calls. */
function deliveredItems(body: JsonObject, shown: readonly JsonObject[], record: SpliceRecord): JsonObject[] {
  if (record.delivered === undefined) return [...shown]
  const known = new Set([...shown.filter(isClientCall).map((call) => call.call_id), ...record.dropped.map(({ id }) => id)])
  const made = sendable(body, itemsOfAssistant(record.delivered)).filter((item) => !isClientCall(item) || known.has(item.call_id))
  const lost = shown.filter((item) => isClientCall(item) && !made.some((other) => other.call_id === item.call_id))
  return made.length === 0 ? [...shown] : [...made, ...lost]
}

/** Items with the dropped calls at their positions among the calls again. A call that is there already is not added twice. */
function withDropped(items: readonly JsonObject[], dropped: SpliceRecord['dropped']): JsonObject[] {
  const merged = [...items]
  for (const { call, id, position } of [...dropped].sort((a, b) => a.position - b.position)) {
    if (merged.some((item) => isClientCall(item) && item.call_id === id)) continue
    const calls = merged.flatMap((item, index) => (isClientCall(item) ? [index] : []))
    const next = calls[position]
    const last = calls.at(-1)
    if (next !== undefined) merged.splice(beforeReasoned(merged, next), 0, call)
    else merged.splice(last === undefined ? merged.length : last + 1, 0, call)
  }
  return merged
}

/** Of several reasonings before a call the last one is its own. */
function beforeReasoned(items: readonly JsonObject[], call: number): number {
  const isOwn = items[call - 1]?.type === 'reasoning' && items[call - 2]?.type === 'reasoning'
  return isOwn ? call - 1 : call
}

export function addResponsesNote(body: JsonObject, itemIndex: number, text: string): number {
  const items = inputList(body)
  const item = items[itemIndex]
  if (!isObject(item)) return 0
  if (item.role === 'user' && typeof item.content === 'string') item.content = `${item.content}\n\n${text}`
  else if (item.role === 'user' && Array.isArray(item.content)) item.content = [...item.content, { type: 'input_text', text }]
  else {
    items.splice(itemIndex + 1, 0, { type: 'message', role: 'user', content: text })
    return 1
  }
  return 0
}

export function appendResponsesRound(body: JsonObject, round: SplicedRound): void {
  inputList(body).push(...roundItems(body, round))
}

/** The input as a list; a text is one message. */
function inputList(body: JsonObject): JsonValue[] {
  if (!Array.isArray(body.input)) body.input = [{ type: 'message', role: 'user', content: asText(body.input) }]
  return body.input
}

function roundItems(body: JsonObject, round: SplicedRound): JsonObject[] {
  const items = sendable(body, itemsOfAssistant(round.assistant))
  const answers = items.filter(isClientCall).map((call) => {
    const id = asText(call.call_id)
    return noticeItem(call, round.calls.find((one) => one.id === id) ?? { id, notice: 'not run' })
  })
  return [...items, ...answers]
}

/** A vendor that stores nothing knows no reasoning by its id. */
function sendable(body: JsonObject, items: readonly JsonObject[]): JsonObject[] {
  if (body.store !== false) return [...items]
  return items.filter((item) => item.type !== 'reasoning' || typeof item.encrypted_content === 'string')
}
