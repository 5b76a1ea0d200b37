/**
 * The conversation as the messages API wants it: system text apart, user and assistant alternating, the first message the
 * user's, the answers to calls first in the message after them, no text that says nothing.
 */
import type { JsonObject } from '../../../../core/json.ts'
import { acceptedId } from '../../../hub/accepted-names.ts'
import { argumentsObject } from '../../../hub/call-arguments.ts'
import type { HubMessage, HubPart, HubResult, HubText } from '../../../hub/conversation.ts'
import { stringOf } from '../../../hub/loose-fields.ts'
import { invalid, unsupported } from '../../../request/fields.ts'
import { writeMedia } from './media.ts'
import { messagesName } from './tools.ts'

export interface Conversation {
  /** Text blocks of the system prompt, in order. */
  readonly system: JsonObject[]
  readonly messages: JsonObject[]
  /** Names of the tools the history calls, as they are written. */
  readonly calledTools: ReadonlySet<string>
}

/** Stands for a message that says nothing, where the messages API needs one. */
export const emptyText = '(no content)'

interface Turn {
  readonly role: 'user' | 'assistant'
  readonly content: JsonObject[]
}

/** Throws `request.invalid` / `request.unsupported` naming the message or part. */
export function writeConversation(messages: readonly HubMessage[]): Conversation {
  return new ConversationWriter().write(messages)
}

class ConversationWriter {
  readonly #system: JsonObject[] = []
  readonly #turns: Turn[] = []
  readonly #calledTools = new Set<string>()

  write(messages: readonly HubMessage[]): Conversation {
    for (const message of messages) this.#add(message)
    this.#close()
    return {
      system: this.#system,
      messages: this.#turns.map((turn) => ({ role: turn.role, content: turn.content })),
      calledTools: this.#calledTools,
    }
  }

  #add(message: HubMessage): void {
    if (message.role === 'system') this.#addSystem(message)
    else if (message.role === 'user') this.#addUser(message.parts.flatMap((part) => this.#userBlocks(part)))
    else {
      const blocks = message.parts.flatMap((part) => this.#assistantBlocks(part))
      if (blocks.length === 0) return
      if (this.#turns.length === 0) this.#append('user', [textBlock(emptyText)])
      this.#append('assistant', blocks)
    }
  }

  /**
   * The messages API of most models has system text in front only. Instructions given later move there too, in order,
   * with a note of where they stood: as user text they would lose their authority.
   */
  #addSystem({ parts, index }: HubMessage): void {
    const blocks = parts.flatMap((part) => {
      if (part.kind !== 'text') throw noCounterpart(part)
      return textBlocks(part)
    })
    const first = blocks[0]
    if (this.#turns.length > 0 && first !== undefined)
      first.text = `[Added after message ${index} of the conversation]\n${stringOf(first.text) ?? ''}`
    this.#system.push(...blocks)
  }

  #addUser(blocks: readonly JsonObject[]): void {
    // A message that says nothing still is the user's turn: without it the one before would read as a prefill.
    this.#append('user', blocks.length > 0 || this.#turns.at(-1)?.role === 'user' ? blocks : [textBlock(emptyText)])
  }

  #userBlocks(part: HubPart): JsonObject[] {
    if (part.kind === 'result') return [writeResult(part)]
    return contentBlocks(part)
  }

  #assistantBlocks(part: HubPart): JsonObject[] {
    switch (part.kind) {
      case 'text':
      case 'refusal':
        return textBlocks(part)
      case 'sealed':
        return part.family === 'anthropic' ? [{ type: 'redacted_thinking', data: part.data }] : []
      case 'reasoning': {
        const { origin, text } = part
        return origin.by === 'signature' && origin.family === 'anthropic'
          ? [{ type: 'thinking', thinking: text, signature: origin.signature }]
          : []
      }
      case 'state':
        return []
      case 'call': {
        const name = messagesName(part.name, part.at)
        this.#calledTools.add(name)
        return [
          withCache(
            { ...part.extras?.anthropic, type: 'tool_use', id: acceptedId(part.id), name, input: argumentsObject(part.args) },
            part.cache,
          ),
        ]
      }
      case 'native':
        if (part.family === 'anthropic') return [part.value]
        throw noCounterpart(part)
      default:
        throw noCounterpart(part)
    }
  }

  #append(role: Turn['role'], blocks: readonly JsonObject[]): void {
    const last = this.#turns.at(-1)
    if (last?.role !== role) this.#turns.push({ role, content: [...blocks] })
    else if (role === 'assistant') last.content.push(...blocks)
    else {
      // Answers to calls come before anything the user says.
      const results = blocks.filter((block) => block.type === 'tool_result')
      const others = blocks.filter((block) => block.type !== 'tool_result')
      const end = last.content.findLastIndex((block) => block.type === 'tool_result') + 1
      last.content.splice(end, 0, ...results)
      last.content.push(...others)
    }
  }

  /** Last touches: something to answer, and no white space at the end of a prefill, which the API refuses. */
  #close(): void {
    if (this.#turns.length === 0) {
      // With nothing but system messages the last of them is what the model is to answer.
      const moved = this.#system.pop()
      if (moved === undefined) throw invalid('messages', 'it holds nothing to answer')
      this.#append('user', [moved])
    }
    const last = this.#turns.at(-1)
    const block = last?.role === 'assistant' ? last.content.at(-1) : undefined
    if (block?.type === 'text' && typeof block.text === 'string') block.text = block.text.trimEnd()
  }
}

/** Blocks for what a user says, or what a tool said. */
function contentBlocks(part: HubPart): JsonObject[] {
  switch (part.kind) {
    case 'text':
      return textBlocks(part)
    case 'media':
      return [writeMedia(part)]
    case 'native':
      if (part.family === 'anthropic') return [part.value]
      throw noCounterpart(part)
    default:
      throw noCounterpart(part)
  }
}

function writeResult(result: HubResult): JsonObject {
  const content = result.content.flatMap(contentBlocks)
  const only = content.length === 1 ? content[0] : undefined
  const plain = only?.type === 'text' && Object.keys(only).length === 2 ? only.text : undefined
  const written: JsonObject = { ...result.extras?.anthropic, type: 'tool_result', tool_use_id: acceptedId(result.callId) }
  if (content.length > 0) written.content = plain ?? content
  if (result.isError) written.is_error = true
  return withCache(written, result.cache)
}

/** A text block, or none for text the messages API refuses (empty, white space only). */
function textBlocks(part: Pick<HubText, 'text' | 'cache' | 'extras'>): JsonObject[] {
  return part.text.trim() === '' ? [] : [withCache({ ...textBlock(part.text), ...part.extras?.anthropic }, part.cache)]
}

function textBlock(text: string): JsonObject {
  return { type: 'text', text }
}

function withCache(block: JsonObject, cache: JsonObject[string] | undefined): JsonObject {
  if (cache !== undefined) block.cache_control = cache
  return block
}

function noCounterpart(part: HubPart): Error {
  const at = 'at' in part ? part.at : 'messages'
  const called = part.kind === 'native' ? part.called : `a part of type ${part.kind}`
  return unsupported(at, `${called} has no counterpart in the messages API here`)
}
