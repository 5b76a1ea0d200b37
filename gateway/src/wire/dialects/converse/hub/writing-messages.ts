/**
 * The conversation as Converse wants it: system text apart, user and assistant alternating, the first message the user's, the
 * answers to calls first in the message after them, no text that says nothing.
 */
import type { JsonObject } from '../../../../core/json.ts'
import { argumentsObject } from '../../../hub/call-arguments.ts'
import type { HubMessage, HubPart, HubResult, HubText } from '../../../hub/conversation.ts'
import { invalid, unsupported } from '../../../request/fields.ts'
import { cachePoint } from './cache-points.ts'
import { writeMedia } from './media.ts'
import { converseId, converseName } from './names.ts'
import { writeReasoning } from './reasoning.ts'

export interface Conversation {
  /** Blocks of the system prompt, in order. */
  readonly system: JsonObject[]
  readonly messages: JsonObject[]
  /** Whether a tool is called anywhere. */
  readonly hasCalls: boolean
}

/** Stands for a message that says nothing, where Converse needs one. */
const emptyText = '(no content)'

interface Turn {
  readonly role: 'user' | 'assistant'
  readonly content: JsonObject[]
}

/** Throws `request.invalid` / `request.unsupported` naming the message or part. */
export function writeConversation(messages: readonly HubMessage[]): Conversation {
  const writer = new ConversationWriter()
  for (const message of messages) writer.add(message)
  return writer.conversation()
}

class ConversationWriter {
  readonly #system: JsonObject[] = []
  readonly #turns: Turn[] = []
  #hasCalls = false
  #documents = 0

  add({ role, parts, index }: HubMessage): void {
    if (role === 'system') this.#addSystem(parts, index)
    else if (role === 'user') {
      const blocks = parts.flatMap((part) => (part.kind === 'result' ? this.#result(part) : this.#content(part)))
      // A message that says nothing still is the user's turn.
      this.#append('user', blocks.length > 0 || this.#turns.at(-1)?.role === 'user' ? blocks : [{ text: emptyText }])
    } else {
      const blocks = parts.flatMap((part) => this.#assistant(part))
      if (blocks.length === 0) return
      if (this.#turns.length === 0) this.#append('user', [{ text: emptyText }])
      this.#append('assistant', blocks)
    }
  }

  conversation(): Conversation {
    if (this.#turns.length === 0) {
      // With nothing but system messages the last of them is what the model is to answer.
      const moved = this.#system.pop()
      if (moved === undefined) throw invalid('messages', 'it holds nothing to answer')
      this.#append('user', [moved])
    }
    const last = this.#turns.at(-1)
    const block = last?.role === 'assistant' ? last.content.at(-1) : undefined
    if (typeof block?.text === 'string') block.text = block.text.trimEnd()
    return { system: this.#system, messages: this.#turns.map(({ role, content }) => ({ role, content })), hasCalls: this.#hasCalls }
  }

  /** Instructions given later move to the front with a note of where they stood: as user text they would lose their authority. */
  #addSystem(parts: readonly HubPart[], index: number): void {
    const blocks = parts.flatMap((part) => {
      if (part.kind === 'text') return textBlocks(part)
      if (part.kind === 'native' && part.family === 'aws') return [part.value]
      throw noCounterpart(part)
    })
    const first = blocks[0]
    if (this.#turns.length > 0 && typeof first?.text === 'string')
      blocks[0] = { text: `[Added after message ${index} of the conversation]\n${first.text}` }
    this.#system.push(...blocks)
  }

  #content(part: HubPart): JsonObject[] {
    switch (part.kind) {
      case 'text':
        return textBlocks(part)
      case 'media':
        return [writeMedia(part, part.media === 'document' ? this.#documents++ : 0), ...cachePoint(part.cache)]
      case 'native':
        if (part.family === 'aws') return [part.value]
        if (part.text !== undefined) return [{ text: part.text }]
        throw noCounterpart(part)
      default:
        throw noCounterpart(part)
    }
  }

  #assistant(part: HubPart): JsonObject[] {
    switch (part.kind) {
      case 'text':
      case 'refusal':
        return textBlocks(part)
      case 'reasoning':
      case 'sealed':
        return writeReasoning(part)
      case 'state':
        return []
      case 'call': {
        this.#hasCalls = true
        const name = converseName(part.name, part.at)
        return [{ toolUse: { toolUseId: converseId(part.id), name, input: argumentsObject(part.args) } }, ...cachePoint(part.cache)]
      }
      default:
        return this.#content(part)
    }
  }

  #result({ callId, content, isError, cache }: HubResult): JsonObject[] {
    const blocks = content.flatMap((part) => this.#content(part)).filter((block) => block.cachePoint === undefined)
    // The vendor wants something in every answer.
    const written = { toolUseId: converseId(callId), content: blocks.length === 0 ? [{ text: emptyText }] : blocks }
    return [{ toolResult: { ...written, ...(isError ? { status: 'error' } : {}) } }, ...cachePoint(cache)]
  }

  #append(role: Turn['role'], blocks: readonly JsonObject[]): void {
    const last = this.#turns.at(-1)
    if (last?.role !== role) this.#turns.push({ role, content: [...blocks] })
    else if (role === 'assistant') last.content.push(...blocks)
    else {
      // Answers to calls come before anything the user says.
      const end = last.content.findLastIndex((block) => block.toolResult !== undefined) + 1
      last.content.splice(end, 0, ...blocks.filter((block) => block.toolResult !== undefined))
      last.content.push(...blocks.filter((block) => block.toolResult === undefined))
    }
  }
}

/** A text block, or none for text Converse refuses (empty, white space only). */
function textBlocks(part: Pick<HubText, 'text' | 'cache'>): JsonObject[] {
  return part.text.trim() === '' ? [] : [{ text: part.text }, ...cachePoint(part.cache)]
}

function noCounterpart(part: HubPart): Error {
  const at = 'at' in part ? part.at : 'messages'
  const called = part.kind === 'native' ? part.called : `a part of type ${part.kind}`
  return unsupported(at, `${called} has no counterpart in Converse here`)
}
