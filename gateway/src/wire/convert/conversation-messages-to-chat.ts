/**
 * The conversation of a messages request as chat messages. Results become tool messages right after the calls they
 * answer. Media inside a result follow in a user message of their own that names the call: chat-completions takes them
 * nowhere else, and the user's own words stay apart from them.
 */
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { documentBlockToParts, imageBlockToPart, searchResultText } from './media.ts'
import { invalid, requireName, unsupported } from '../request/fields.ts'
import { requireObjects, stringOf, tag } from './reading.ts'
import { chatReasoningText, signedThinking } from './thinking-blocks.ts'
import { inputToArguments } from './tool-arguments.ts'
import { withToolError } from './tool-errors.ts'

export interface ThinkingTarget {
  /** The target understands `thinking_blocks` with vendor signatures. */
  readonly takesSignedThinking: boolean
  /** The target takes its own `reasoning_content` back. */
  readonly takesReasoning: boolean
}

interface Located {
  readonly block: JsonObject
  readonly field: string
}

/** Introduces media that a tool result carried. */
export function mediaNotice(callId: string): string {
  return `[Media from the result of tool call ${callId}]`
}

/** Converts `system` and `messages`. Throws `request.invalid` / `request.unsupported` naming the block. */
export function messagesConversation(body: JsonObject, target: ThinkingTarget): JsonObject[] {
  const messages: JsonObject[] = []
  const system = systemText(body.system, 'system')
  if (system !== '') messages.push({ role: 'system', content: system })
  let open: ReadonlySet<string> = new Set()
  for (const turn of turnsOf(body)) {
    if (turn.role === 'system') {
      messages.push({ role: 'system', content: textOf(turn.blocks) })
    } else if (turn.role === 'assistant') {
      requireNone(open, turn)
      const message = assistantMessage(turn.blocks, target)
      open = new Set(turn.blocks.filter(({ block }) => block.type === 'tool_use').map(({ block }) => stringOf(block.id) ?? ''))
      if (message !== undefined) messages.push(message)
    } else {
      messages.push(...userMessages(turn.blocks, open))
      open = new Set()
    }
  }
  if (open.size > 0) throw invalid('messages', 'the last tool_use has no tool_result')
  return messages
}

interface BlockTurn {
  readonly role: 'user' | 'assistant' | 'system'
  readonly blocks: Located[]
}

/** Messages in turns: the messages API reads consecutive messages of one role as one. */
function turnsOf(body: JsonObject): BlockTurn[] {
  const turns: BlockTurn[] = []
  for (const [index, message] of requireObjects(body.messages, 'messages').entries()) {
    const role = message.role
    if (role !== 'user' && role !== 'assistant' && role !== 'system')
      throw invalid(`messages[${index}].role`, 'it must be user, assistant or system')
    const blocks = blocksOf(message.content, `messages[${index}].content`)
    const last = turns.at(-1)
    if (last?.role === role) last.blocks.push(...blocks)
    else turns.push({ role, blocks })
  }
  return turns
}

function blocksOf(content: JsonValue | undefined, field: string): Located[] {
  if (typeof content === 'string') return content === '' ? [] : [{ block: { type: 'text', text: content }, field }]
  return requireObjects(content ?? [], field).map((block, index) => ({ block, field: `${field}[${index}]` }))
}

function requireNone(open: ReadonlySet<string>, turn: BlockTurn): void {
  if (open.size > 0) throw invalid(turn.blocks[0]?.field ?? 'messages', 'a tool_use before it has no tool_result')
}

function systemText(value: JsonValue | undefined, field: string): string {
  return value === undefined || value === null ? '' : textOf(blocksOf(value, field))
}

function textOf(blocks: readonly Located[]): string {
  const texts = blocks.map(({ block, field }) => {
    if (block.type !== 'text' || typeof block.text !== 'string') throw unsupported(field, 'system content is text only')
    return block.text
  })
  return texts.join('\n\n')
}

function assistantMessage(blocks: readonly Located[], target: ThinkingTarget): JsonObject | undefined {
  let text = ''
  const calls: JsonObject[] = []
  for (const { block, field } of blocks) {
    if (block.type === 'text') text += stringOf(block.text) ?? ''
    else if (block.type === 'tool_use') calls.push(toolCall(block, field))
    else if (block.type !== 'thinking' && block.type !== 'redacted_thinking') {
      throw unsupported(field, `a block of type ${tag(block.type)} has no counterpart in chat-completions`)
    }
  }
  if (text === '' && calls.length === 0) return undefined
  const message: JsonObject = { role: 'assistant', content: text === '' ? null : text }
  const thought = blocks.map(({ block }) => block)
  const reasoning = target.takesReasoning ? chatReasoningText(thought) : ''
  if (reasoning !== '') message.reasoning_content = reasoning
  const signed = target.takesSignedThinking ? signedThinking(thought) : []
  if (signed.length > 0) message.thinking_blocks = signed
  if (calls.length > 0) message.tool_calls = calls
  return message
}

function toolCall(block: JsonObject, field: string): JsonObject {
  const id = requireName(block.id, `${field}.id`)
  const name = requireName(block.name, `${field}.name`)
  return { id, type: 'function', function: { name, arguments: inputToArguments(block.input) } }
}

function userMessages(blocks: readonly Located[], open: ReadonlySet<string>): JsonObject[] {
  const unanswered = new Set(open)
  const results: JsonObject[] = []
  const carried: JsonObject[] = []
  for (const { block, field } of blocks) {
    if (block.type !== 'tool_result') continue
    const id = requireName(block.tool_use_id, `${field}.tool_use_id`)
    if (!unanswered.delete(id)) throw invalid(`${field}.tool_use_id`, 'it answers no open tool_use of the message before it')
    const { message, media } = toolMessage(block, id, field)
    results.push(message)
    if (media.length > 0) carried.push({ type: 'text', text: mediaNotice(id) }, ...media)
  }
  if (unanswered.size > 0) throw invalid(blocks[0]?.field ?? 'messages', 'a tool_use before it has no tool_result')
  if (carried.length > 0) results.push({ role: 'user', content: carried })
  const parts = blocks.filter(({ block }) => block.type !== 'tool_result').flatMap(({ block, field }) => contentParts(block, field))
  if (parts.length > 0 || results.length === 0) results.push({ role: 'user', content: compact(parts) })
  return results
}

function toolMessage(block: JsonObject, id: string, field: string): { message: JsonObject; media: JsonObject[] } {
  const parts = blocksOf(block.content ?? [], `${field}.content`).flatMap((item) => contentParts(item.block, item.field))
  const texts = parts.filter((part) => part.type === 'text').map((part) => stringOf(part.text) ?? '')
  const joined = texts.join('\n')
  const text = block.is_error === true ? withToolError(joined) : joined
  return { message: { role: 'tool', tool_call_id: id, content: text }, media: parts.filter((part) => part.type !== 'text') }
}

function contentParts(block: JsonObject, field: string): JsonObject[] {
  switch (block.type) {
    case 'text':
      return [{ type: 'text', text: requireText(block.text, field) }]
    case 'image':
      return [imageBlockToPart(block, field)]
    case 'document':
      return documentBlockToParts(block, field)
    case 'search_result':
      return [{ type: 'text', text: searchResultText(block) }]
    default:
      throw unsupported(field, `a block of type ${tag(block.type)} has no counterpart in chat-completions`)
  }
}

function requireText(value: JsonValue | undefined, field: string): string {
  if (typeof value !== 'string') throw invalid(`${field}.text`, 'it must be a string')
  return value
}

/** One text part is sent as a string, which every chat server reads. */
function compact(parts: JsonObject[]): string | JsonObject[] {
  if (parts.length === 0) return ''
  const only = parts.length === 1 ? parts[0] : undefined
  return only?.type === 'text' && typeof only.text === 'string' ? only.text : parts
}
