/**
 * Edits of a Converse request: removing tools, and putting back what denial splicing took out. Whatever is put back leaves a
 * history the vendor accepts: roles alternate, and every call is answered once at the start of the next message.
 */
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { RefusedCall, SplicedRound, SpliceRecord } from '../../dialect.ts'
import { objectsOf } from '../../request/fields.ts'
import { answeredCalls, withDropped, withNotices } from '../../request/restoring-order.ts'
import { callOf } from './answer.ts'
import { converseToolName, noTool } from './tools.ts'

export function removeConverseTools(body: JsonObject, names: ReadonlySet<string>): void {
  const config = body.toolConfig
  if (!isObject(config) || !Array.isArray(config.tools)) return
  const tools = config.tools.filter((tool) => !isObject(tool) || !names.has(converseToolName(tool)))
  // A mark of the cache alone is no offer.
  if (!tools.some((tool) => isObject(tool) && converseToolName(tool) !== '')) {
    body.toolConfig = { tools: [noTool] }
    return
  }
  const choice = isObject(config.toolChoice) && isObject(config.toolChoice.tool) ? config.toolChoice.tool.name : undefined
  body.toolConfig = { ...config, tools, ...(typeof choice === 'string' && names.has(choice) ? { toolChoice: { auto: {} } } : {}) }
}

export function restoreConverse(body: JsonObject, messageIndex: number, record: SpliceRecord): number {
  const messages = Array.isArray(body.messages) ? body.messages : []
  const message = messages[messageIndex]
  if (!isObject(message)) return 0
  const before = messages.length
  const blocks = deliveredBlocks(message, record)
  if (record.dropped.length > 0) {
    const calls = withDroppedCalls(blocks.filter(isCall), record.dropped)
    message.content = withCalls(blocks, calls)
    answerDropped(messages, messageIndex + 1, calls, record.dropped)
  } else if (record.delivered !== undefined) {
    message.content = blocks
  }
  messages.splice(messageIndex, 0, ...record.rounds.flatMap(roundMessages))
  return messages.length - before
}

/** The blocks of the message as the model made it, as far as the client has kept its calls. */
function deliveredBlocks(message: JsonObject, record: SpliceRecord): JsonObject[] {
  const shown = objectsOf(message.content)
  if (record.delivered === undefined) return shown
  const known = new Set([...shown.filter(isCall).map(idOf), ...record.dropped.map(({ id }) => id)])
  const made = blocksOf(record.delivered.content).filter((block) => !isCall(block) || known.has(idOf(block)))
  const lost = shown.filter((block) => isCall(block) && !made.some((other) => idOf(other) === idOf(block)))
  // A round without text of its own left nothing to show: then the client's view is all there is.
  return made.length === 0 ? shown : [...made, ...lost]
}

/** The content of an answer that was kept; words of the gateway's own are text in every dialect. */
function blocksOf(content: JsonValue | undefined): JsonObject[] {
  return typeof content === 'string' ? [{ text: content }] : objectsOf(content)
}

/** Blocks under the ids of their calls, for those who order calls by id. */
function withDroppedCalls(calls: readonly JsonObject[], dropped: SpliceRecord['dropped']): JsonObject[] {
  const named = (block: JsonObject): JsonObject => ({ id: idOf(block), block })
  return withDropped(
    calls.map(named),
    dropped.map((refused) => ({ ...refused, call: named(refused.call) })),
  ).map(({ block }) => block as JsonObject)
}

/** The blocks with their calls replaced by `calls`: dropped calls before the call they stood before, else at the end. */
function withCalls(blocks: readonly JsonObject[], calls: readonly JsonObject[]): JsonObject[] {
  const result: JsonObject[] = []
  const waiting = [...calls]
  for (const [index, block] of blocks.entries()) {
    if (!isCall(block)) {
      result.push(block)
      continue
    }
    while (waiting[0] !== undefined && idOf(waiting[0]) !== idOf(block)) result.push(...waiting.splice(0, 1))
    result.push(...waiting.splice(0, 1))
    if (!blocks.slice(index + 1).some(isCall)) result.push(...waiting.splice(0))
  }
  return [...result, ...waiting]
}

function answerDropped(messages: JsonValue[], index: number, calls: readonly JsonObject[], dropped: readonly RefusedCall[]): void {
  const next = messages[index]
  const isAnswer = isObject(next) && next.role === 'user'
  const blocks = isAnswer ? objectsOf(next.content) : []
  const merged = withNotices(blocks.filter(isResult), calls.map(idOf), dropped, answeredId, toolResult)
  // The vendor wants the answers first, before anything the user says.
  const content = [...merged, ...blocks.filter((block) => !isResult(block))]
  if (isAnswer) next.content = content
  else messages.splice(index, 0, { role: 'user', content })
}

export function addConverseNote(body: JsonObject, messageIndex: number, text: string): number {
  const message = Array.isArray(body.messages) ? body.messages[messageIndex] : undefined
  if (isObject(message) && message.role === 'user') message.content = [...objectsOf(message.content), { text }]
  return 0
}

export function appendConverseRound(body: JsonObject, round: SplicedRound): void {
  if (Array.isArray(body.messages)) body.messages.push(...roundMessages(round))
}

function roundMessages(round: SplicedRound): JsonObject[] {
  const calls = objectsOf(round.assistant.content)
    .filter(isCall)
    .map((block) => ({ id: idOf(block) }))
  return [round.assistant, { role: 'user', content: answeredCalls(calls, round.refused).map(toolResult) }]
}

function isCall(block: JsonObject): boolean {
  return callOf(block) !== undefined
}

function idOf(block: JsonObject): string {
  const id = callOf(block)?.toolUseId
  return typeof id === 'string' ? id : ''
}

function isResult(block: JsonObject): boolean {
  return isObject(block.toolResult)
}

function answeredId(block: JsonObject): JsonValue | undefined {
  return isObject(block.toolResult) ? block.toolResult.toolUseId : undefined
}

function toolResult(call: RefusedCall): JsonObject {
  return { toolResult: { toolUseId: call.id, content: [{ text: call.notice }], status: 'error' } }
}
