/**
 * Edits of a messages request: removing tools, and putting back what denial splicing took out. Whatever is put back
 * leaves a history the vendor accepts: roles alternate, and every call is answered once at the start of the next message.
 */
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { OfferedTool, SplicedRound, SpliceRecord } from '../../dialect.ts'
import { objectsOf } from '../../request/fields.ts'
import { messagesToolName } from './tools.ts'
import { type BlockKind, messagesOfRound, restoreBlocks } from '../../request/restoring-blocks.ts'

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

export function addMessagesTools(body: JsonObject, tools: readonly OfferedTool[]): void {
  const added = tools.map(({ name, description, inputSchema }) => ({ name, description, input_schema: inputSchema }))
  body.tools = [...(Array.isArray(body.tools) ? body.tools : []), ...added]
}

export function replaceMessagesResult(body: JsonObject, messageIndex: number, position: number, text: string): void {
  const message = Array.isArray(body.messages) ? body.messages[messageIndex] : undefined
  const result = isObject(message) ? objectsOf(message.content).filter(blocks.isResult)[position] : undefined
  if (result !== undefined) result.content = text
}

export function restoreMessages(body: JsonObject, messageIndex: number, record: SpliceRecord): number {
  return restoreBlocks(body.messages, messageIndex, record, blocks)
}

export function addMessagesNote(body: JsonObject, messageIndex: number, text: string): number {
  const message = Array.isArray(body.messages) ? body.messages[messageIndex] : undefined
  if (isObject(message) && message.role === 'user') message.content = [...asBlocks(message.content), { type: 'text', text }]
  return 0
}

export function appendMessagesRound(body: JsonObject, round: SplicedRound): void {
  if (Array.isArray(body.messages)) body.messages.push(...messagesOfRound(round, blocks))
}

function asBlocks(content: JsonValue | undefined): JsonObject[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }]
  return objectsOf(content)
}

const blocks: BlockKind = {
  blocksOf: asBlocks,
  isCall: ({ type }) => type === 'tool_use',
  idOf: ({ id }) => asText(id),
  isResult: ({ type }) => type === 'tool_result',
  answeredId: (result) => result.tool_use_id,
  resultOf: ({ id, notice, isAnswer }) => ({
    type: 'tool_result',
    tool_use_id: id,
    content: notice,
    ...(isAnswer === true ? {} : { is_error: true }),
  }),
}
