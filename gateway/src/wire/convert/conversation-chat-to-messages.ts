/**
 * The conversation of a chat request as the messages API wants it: system text apart, user and assistant alternating,
 * the first message the user's, every tool call answered in the very next message.
 * It refuses histories that leave calls unanswered; it never invents an answer.
 */
import type { JsonObject } from '../../core/json.ts'
import { contentBlocks, emptyText } from './content-chat-to-messages.ts'
import { invalid, requireName, unsupported } from '../request/fields.ts'
import { copyGiven, given, objectOf, requireObjects, stringOf, tag } from './reading.ts'
import { signedThinking } from './thinking-blocks.ts'
import { argumentsToInput } from './tool-arguments.ts'
import { readToolError } from './tool-errors.ts'

export interface Conversation {
  /** Text blocks of the system prompt, in order. */
  readonly system: JsonObject[]
  readonly messages: JsonObject[]
  /** Names of the tools the history calls. */
  readonly calledTools: ReadonlySet<string>
}

interface Turn {
  readonly role: 'user' | 'assistant'
  readonly content: JsonObject[]
}

/** Converts `messages` of a chat request. Throws `request.invalid` / `request.unsupported` naming the message. */
export function chatConversation(body: JsonObject): Conversation {
  return new ConversationWriter().write(requireObjects(body.messages, 'messages'))
}

class ConversationWriter {
  private readonly system: JsonObject[] = []
  private readonly turns: Turn[] = []
  private readonly calledTools = new Set<string>()
  /** Calls of the last assistant message that have no result yet. */
  private readonly open = new Set<string>()

  write(messages: readonly JsonObject[]): Conversation {
    for (const [index, message] of messages.entries()) this.add(message, `messages[${index}]`, index)
    this.requireAnswers('messages')
    this.close()
    return {
      system: this.system,
      messages: this.turns.map((turn) => ({ role: turn.role, content: turn.content })),
      calledTools: this.calledTools,
    }
  }

  private add(message: JsonObject, field: string, index: number): void {
    switch (message.role) {
      case 'system':
      case 'developer':
        return this.addSystem(message, field, index)
      case 'user':
        return this.addUser(message, field)
      case 'assistant':
        return this.addAssistant(message, field)
      case 'tool':
        return this.addToolResult(message, field)
      default:
        throw unsupported(`${field}.role`, `role ${tag(message.role)} has no counterpart in the messages API`)
    }
  }

  /**
   * The messages API of most models has system text in front only. Instructions given later move there too, in order,
   * with a note of where they stood: as user text they would lose their authority.
   */
  private addSystem(message: JsonObject, field: string, index: number): void {
    const blocks = withMessageCacheControl(message, contentBlocks(message.content, 'system', `${field}.content`))
    const first = blocks[0]
    if (this.turns.length > 0 && first !== undefined)
      first.text = `[Added after message ${index} of the conversation]\n${stringOf(first.text) ?? ''}`
    this.system.push(...blocks)
  }

  private addUser(message: JsonObject, field: string): void {
    this.requireAnswers(field)
    const blocks = withMessageCacheControl(message, contentBlocks(message.content, 'user', `${field}.content`))
    // A message that says nothing still is the user's turn: without it the one before would read as a prefill.
    this.append('user', blocks.length > 0 || this.turns.at(-1)?.role === 'user' ? blocks : [{ type: 'text', text: emptyText }])
  }

  private addAssistant(message: JsonObject, field: string): void {
    this.requireAnswers(field)
    if (given(message, 'function_call') !== undefined) throw unsupported(`${field}.function_call`, 'it is deprecated', 'Use `tool_calls`.')
    if (given(message, 'audio') !== undefined) throw unsupported(`${field}.audio`, 'the messages API has no audio')
    const said = contentBlocks(message.content, 'assistant', `${field}.content`)
    const refusal = said.length === 0 ? contentBlocks(stringOf(message.refusal), 'assistant', field) : []
    const spoken = withMessageCacheControl(message, [...said, ...refusal])
    const blocks = [...signedThinking(message.thinking_blocks), ...spoken, ...this.toolUses(message, field)]
    if (blocks.length === 0) return
    if (this.turns.length === 0) this.append('user', [{ type: 'text', text: emptyText }])
    this.append('assistant', blocks)
  }

  private toolUses(message: JsonObject, field: string): JsonObject[] {
    const calls = given(message, 'tool_calls')
    if (calls === undefined) return []
    return requireObjects(calls, `${field}.tool_calls`).map((call, index) => {
      const at = `${field}.tool_calls[${index}]`
      if (call.type !== undefined && call.type !== 'function')
        throw unsupported(at, `a call of type ${tag(call.type)} has no counterpart in the messages API`)
      const id = requireName(call.id, `${at}.id`)
      const called = objectOf(call.function)
      const name = requireName(called?.name, `${at}.function.name`)
      if (this.open.has(id)) throw invalid(`${at}.id`, 'two calls have the same id')
      this.open.add(id)
      this.calledTools.add(name)
      return { type: 'tool_use', id, name, input: argumentsToInput(stringOf(called?.arguments) ?? '') }
    })
  }

  private addToolResult(message: JsonObject, field: string): void {
    const id = requireName(message.tool_call_id, `${field}.tool_call_id`)
    if (!this.open.delete(id)) throw invalid(`${field}.tool_call_id`, 'it answers no open call of the assistant message before it')
    const result: JsonObject = { type: 'tool_result', tool_use_id: id }
    const { content, isError } = readToolError(contentBlocks(message.content, 'tool', `${field}.content`))
    const only = content.length === 1 ? content[0] : undefined
    const plain = only?.type === 'text' && only.cache_control === undefined ? only.text : undefined
    if (content.length > 0) result.content = plain ?? content
    if (isError) result.is_error = true
    copyGiven(message, result, ['cache_control'])
    this.append('user', [result])
  }

  private append(role: Turn['role'], blocks: readonly JsonObject[]): void {
    const last = this.turns.at(-1)
    if (last?.role === role) last.content.push(...blocks)
    else this.turns.push({ role, content: [...blocks] })
  }

  private requireAnswers(field: string): void {
    if (this.open.size > 0) throw invalid(field, 'a tool call before it has no tool message that answers it')
  }

  /** Last touches: something to answer, and no white space at the end of a prefill, which the API refuses. */
  private close(): void {
    if (this.turns.length === 0) {
      // With nothing but system messages the last of them is what the model is to answer.
      const moved = this.system.pop()
      if (moved === undefined) throw invalid('messages', 'it holds nothing to answer')
      this.append('user', [moved])
    }
    const last = this.turns.at(-1)
    const block = last?.role === 'assistant' ? last.content.at(-1) : undefined
    if (block?.type === 'text') block.text = (stringOf(block.text) ?? '').trimEnd()
  }
}

/** A marker on the message itself is one on its last block. */
function withMessageCacheControl(message: JsonObject, blocks: JsonObject[]): JsonObject[] {
  const last = blocks.at(-1)
  if (last !== undefined) copyGiven(message, last, ['cache_control'])
  return blocks
}
