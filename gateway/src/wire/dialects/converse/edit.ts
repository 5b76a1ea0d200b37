/**
 * Edits of a Converse request: removing tools, and putting back what denial splicing took out. Whatever is put back leaves a
 * history the vendor accepts: roles alternate, and every call is answered once at the start of the next message.
 */
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { OfferedTool, SplicedRound, SpliceRecord } from '../../dialect.ts'
import { objectsOf } from '../../request/fields.ts'
import { type BlockKind, messagesOfRound, restoreBlocks } from '../../request/restoring-blocks.ts'
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

export function addConverseTools(body: JsonObject, tools: readonly OfferedTool[]): void {
  const added = tools.map(({ name, description, inputSchema }) => ({ toolSpec: { name, description, inputSchema: { json: inputSchema } } }))
  const config = isObject(body.toolConfig) ? body.toolConfig : {}
  body.toolConfig = { ...config, tools: [...(Array.isArray(config.tools) ? config.tools : []), ...added] }
}

export function replaceConverseResult(body: JsonObject, messageIndex: number, position: number, text: string): void {
  const message = Array.isArray(body.messages) ? body.messages[messageIndex] : undefined
  const block = isObject(message) ? objectsOf(message.content).filter(blocks.isResult)[position] : undefined
  if (block !== undefined && isObject(block.toolResult)) block.toolResult.content = [{ text }]
}

export function restoreConverse(body: JsonObject, messageIndex: number, record: SpliceRecord): number {
  return restoreBlocks(body.messages, messageIndex, record, blocks)
}

export function addConverseNote(body: JsonObject, messageIndex: number, text: string): number {
  const message = Array.isArray(body.messages) ? body.messages[messageIndex] : undefined
  if (isObject(message) && message.role === 'user') message.content = [...objectsOf(message.content), { text }]
  return 0
}

export function appendConverseRound(body: JsonObject, round: SplicedRound): void {
  if (Array.isArray(body.messages)) body.messages.push(...messagesOfRound(round, blocks))
}

/** The content of a message; words of the gateway's own are text in every dialect. */
function blocksOf(content: JsonValue | undefined): JsonObject[] {
  return typeof content === 'string' ? [{ text: content }] : objectsOf(content)
}

const blocks: BlockKind = {
  blocksOf,
  isCall: (block) => callOf(block) !== undefined,
  idOf: (block) => asText(callOf(block)?.toolUseId),
  isResult: (block) => isObject(block.toolResult),
  answeredId: (block) => (isObject(block.toolResult) ? block.toolResult.toolUseId : undefined),
  resultOf: ({ id, notice, isAnswer }) => ({
    toolResult: { toolUseId: id, content: [{ text: notice }], status: isAnswer === true ? 'success' : 'error' },
  }),
}
