/**
 * Edits of a messages request: removing tools, and putting back what denial splicing took out. Whatever is put back
 * leaves a history the vendor accepts: roles alternate, and every call is answered once at the start of the next message.
 */
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { RefusedCall, SplicedRound, SpliceRecord } from '../../dialect.ts'
import { objectsOf } from '../../request/fields.ts'
import { messagesToolName } from './tools.ts'
import { answeredCalls, withDropped, withNotices } from '../../request/restoring-order.ts'

export function removeMessagesTools(body: JsonObject, names: ReadonlySet<string>): void {
  if (!Array.isArray(body.tools)) return
  const tools = body.tools.filter((tool) => !isObject(tool) || !names.has(messagesToolName(tool)))
  if (tools.length === 0) {
    delete body.tools
    delete body.tool_choice
    return
  }
  body.tools = tools
  const choice = body.tool_choice
  if (!isObject(choice) || choice.type !== 'tool' || typeof choice.name !== 'string' || !names.has(choice.name)) return
  const { name: _name, ...rest } = choice
  body.tool_choice = { ...rest, type: 'auto' }
}

export function restoreMessages(body: JsonObject, messageIndex: number, record: SpliceRecord): number {
  const messages = Array.isArray(body.messages) ? body.messages : []
  const message = messages[messageIndex]
  if (!isObject(message)) return 0
  const before = messages.length

  const blocks = deliveredBlocks(message, record)
  if (record.dropped.length > 0) {
    const calls = withDropped(blocks.filter(isToolUse), record.dropped)
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
  const shown = asBlocks(message.content)
  if (record.delivered === undefined) return shown
  const known = new Set([...shown.filter(isToolUse), ...record.dropped].map((call) => call.id ?? ''))
  const made = asBlocks(record.delivered.content).filter((block) => !isToolUse(block) || known.has(block.id ?? ''))
  const lost = shown.filter((block) => isToolUse(block) && !made.some((other) => other.id === block.id))
  // A round without text of its own left nothing to show: then the client's view is all there is.
  return made.length === 0 ? shown : [...made, ...lost]
}

/** The blocks with their tool calls replaced by `calls`, which stand together where the first one stood, else at the end. */
function withCalls(blocks: readonly JsonObject[], calls: readonly JsonObject[]): JsonObject[] {
  const result: JsonObject[] = []
  const waiting = [...calls]
  for (const [index, block] of blocks.entries()) {
    if (!isToolUse(block)) {
      result.push(block)
      continue
    }
    // Dropped calls before this one come first; after the last call of the message come all that are left.
    while (waiting.length > 0 && waiting[0]?.id !== block.id) result.push(...waiting.splice(0, 1))
    result.push(...waiting.splice(0, 1))
    if (!blocks.slice(index + 1).some(isToolUse)) result.push(...waiting.splice(0))
  }
  return [...result, ...waiting]
}

function answerDropped(messages: JsonValue[], index: number, calls: readonly JsonObject[], dropped: readonly RefusedCall[]): void {
  const next = messages[index]
  const isAnswer = isObject(next) && next.role === 'user'
  const blocks = isAnswer ? asBlocks(next.content) : []
  const answers = blocks.filter(isToolResult)
  const merged = withNotices(
    answers,
    calls.map((call) => call.id),
    dropped,
    (answer) => answer.tool_use_id,
    toolResult,
  )
  // The vendor wants the answers first, before anything the user says.
  const content = [...merged, ...blocks.filter((block) => !isToolResult(block))]
  if (isAnswer) next.content = content
  else messages.splice(index, 0, { role: 'user', content })
}

export function addMessagesNote(body: JsonObject, messageIndex: number, text: string): number {
  const message = Array.isArray(body.messages) ? body.messages[messageIndex] : undefined
  if (isObject(message) && message.role === 'user') message.content = [...asBlocks(message.content), { type: 'text', text }]
  return 0
}

export function appendMessagesRound(body: JsonObject, round: SplicedRound): void {
  if (Array.isArray(body.messages)) body.messages.push(...roundMessages(round))
}

function roundMessages(round: SplicedRound): JsonObject[] {
  const calls = asBlocks(round.assistant.content).filter(isToolUse)
  return [round.assistant, { role: 'user', content: answeredCalls(calls, round.refused).map(toolResult) }]
}

function asBlocks(content: JsonValue | undefined): JsonObject[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  return objectsOf(content)
}

function isToolUse(block: JsonObject): boolean {
  return block.type === 'tool_use'
}

function isToolResult(block: JsonObject): boolean {
  return block.type === 'tool_result'
}

function toolResult(call: RefusedCall): JsonObject {
  return { type: 'tool_result', tool_use_id: call.id, content: call.notice, is_error: true }
}
