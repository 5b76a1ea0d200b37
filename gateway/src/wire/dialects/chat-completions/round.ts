/**
 * Puts the chunks of one chat-completions stream together: text, calls, finish and usage. It refuses whatever two
 * clients could put together differently, because then the call decided on would not be the call that runs.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { chatFinish } from './answer.ts'
import { chatCallView } from './views.ts'
import type { ResponseView, ToolCallView } from '../../dialect.ts'
import { isAbsent, malformed, objectsOf } from '../../request/fields.ts'
import { readChatUsage } from './usage.ts'

/** Calls one response may have over all its choices. */
const maxCalls = 1024

interface CallParts {
  readonly choice: number
  readonly index: number
  type: 'function' | 'custom'
  id: string
  name: string
  text: string
}

interface ChoiceParts {
  content: string
  refusal: string
  reasoning: string
  thinking: JsonObject[]
  finish: JsonValue | undefined
}

/** What a chunk brings, as far as the gate must know. */
export interface ChunkReading {
  readonly hasCalls: boolean
  readonly hasFinish: boolean
  /** A field was taken out of the chunk because a client could read it twice. */
  readonly isEdited: boolean
  /** The words of a chunk that does nothing but add them to the content of its one choice. */
  readonly saysOnly: string | undefined
}

export class ChatRound {
  id = ''
  model = ''
  usage: UsageRecord | undefined
  isDone = false
  error: string | undefined
  readonly choices = new Map<number, ChoiceParts>()
  readonly #calls = new Map<string, CallParts>()

  /** Takes one chunk. Throws `upstream.malformed`. */
  read(chunk: JsonObject, choices: readonly JsonValue[]): ChunkReading {
    if (this.id === '') this.id = asText(chunk.id)
    if (this.model === '') this.model = asText(chunk.model)
    this.usage = readChatUsage(chunk.usage) ?? this.usage
    let hasCalls = false
    let hasFinish = false
    let isEdited = false
    for (const choice of choices) {
      if (!isObject(choice)) throw malformed('a choice of its stream is not an object')
      const index = choiceIndex(choice)
      const parts = this.#partsOf(index)
      refuseWholeMessage(choice.message)
      if (isObject(choice.delta)) {
        if (!isAbsent(choice.delta.function_call)) throw malformed('its stream carries a deprecated function_call')
        if (this.#readCalls(choice.delta, index)) isEdited = true
        if (hasEntries(choice.delta.tool_calls)) hasCalls = true
        readText(parts, choice.delta)
      }
      if (!isAbsent(choice.finish_reason)) {
        parts.finish = choice.finish_reason
        hasFinish = true
      }
    }
    return { hasCalls, hasFinish, isEdited, saysOnly: hasCalls || hasFinish || isEdited ? undefined : onlyWords(choices) }
  }

  /** The calls in order of choice and index. Throws `upstream.malformed` when one cannot be told from another. */
  calls(): readonly (CallParts & { readonly view: ToolCallView })[] {
    const ids = new Set<string>()
    return [...this.#calls.values()]
      .sort((a, b) => a.choice - b.choice || a.index - b.index)
      .map((call) => {
        if (call.id === '' || call.name === '') throw malformed('a tool call of its stream has no id or no name')
        if (ids.has(call.id)) throw malformed('two tool calls of its stream have the same id')
        ids.add(call.id)
        return { ...call, view: chatCallView(call.id, call.type, call.name, call.text) }
      })
  }

  finish(): ResponseView['finish'] {
    const first = this.choices.get(0)
    if (first !== undefined && first.refusal !== '') return 'refusal'
    const finish = chatFinish(first?.finish)
    return this.#calls.size > 0 && (finish === 'stop' || finish === 'other') ? 'tool_calls' : finish
  }

  /** True when the stream ended as the dialect ends it. Cut-off arguments may still be valid JSON, so calls need their finish. */
  isComplete(): boolean {
    return (
      this.isDone &&
      this.error === undefined &&
      (this.#calls.size === 0 || [...this.choices.values()].some((choice) => !isAbsent(choice.finish)))
    )
  }

  /** The first choice's message with all its calls. */
  assistantMessage(): JsonObject {
    const parts = this.#partsOf(0)
    const calls = this.calls().filter((call) => call.choice === 0)
    return {
      role: 'assistant',
      content: parts.content === '' && calls.length > 0 ? null : parts.content,
      ...(parts.refusal === '' ? {} : { refusal: parts.refusal }),
      ...(parts.reasoning === '' ? {} : { reasoning_content: parts.reasoning }),
      ...(parts.thinking.length === 0 ? {} : { thinking_blocks: parts.thinking }),
      ...(calls.length === 0 ? {} : { tool_calls: calls.map(nativeCall) }),
    }
  }

  /** Takes the call fragments of a delta. True when a repeated name was taken out of it. */
  #readCalls(delta: JsonObject, choice: number): boolean {
    if (isAbsent(delta.tool_calls)) return false
    if (!Array.isArray(delta.tool_calls)) throw malformed('tool_calls of its stream is not an array')
    let isEdited = false
    for (const fragment of delta.tool_calls) {
      if (!isObject(fragment)) throw malformed('a tool call of its stream is not an object')
      const { index, type } = fragment
      if (typeof index !== 'number' || !Number.isInteger(index) || index < 0) throw malformed('a tool call of its stream has no index')
      const call = this.#callAt(choice, index)
      if (!isAbsent(type)) {
        if (type !== 'function' && type !== 'custom') throw malformed('a tool call of its stream is neither a function nor a custom call')
        if (call.name !== '' && call.type !== type) throw malformed('a tool call of its stream changes its type')
        call.type = type
      }
      const id = asText(fragment.id)
      if (id !== '' && call.id !== '' && call.id !== id) throw malformed('a tool call of its stream changes its id')
      if (id !== '') call.id = id
      const other = call.type === 'custom' ? fragment.function : fragment.custom
      if (!isAbsent(other)) throw malformed('a tool call of its stream is of two types')
      const made = fragment[call.type]
      if (isObject(made) && readFragment(call, made)) isEdited = true
    }
    return isEdited
  }

  #callAt(choice: number, index: number): CallParts {
    const key = `${choice}:${index}`
    let call = this.#calls.get(key)
    if (call === undefined) {
      if (this.#calls.size >= maxCalls) throw malformed(`its stream has more than ${maxCalls} tool calls`)
      call = { choice, index, type: 'function', id: '', name: '', text: '' }
      this.#calls.set(key, call)
    }
    return call
  }

  #partsOf(index: number): ChoiceParts {
    let parts = this.choices.get(index)
    if (parts === undefined) {
      parts = { content: '', refusal: '', reasoning: '', thinking: [], finish: undefined }
      this.choices.set(index, parts)
    }
    return parts
  }
}

/** A call as `tool_calls` of a message carries it. */
export function nativeCall(call: CallParts): JsonObject {
  const { id, type, name, text } = call
  return type === 'custom' ? { id, type, custom: { name, input: text } } : { id, type, function: { name, arguments: text } }
}

/** `index` of a choice; vendors with one choice leave it out. */
export function choiceIndex(choice: JsonObject): number {
  if (isAbsent(choice.index)) return 0
  if (typeof choice.index !== 'number' || !Number.isInteger(choice.index) || choice.index < 0 || choice.index > 127)
    throw malformed('a choice of its stream has no valid index')
  return choice.index
}

export function hasEntries(value: JsonValue | undefined): boolean {
  return Array.isArray(value) && value.length > 0
}

/** Adds a fragment to its call. True when the name was repeated: some clients keep it, others join it to the first. */
function readFragment(call: CallParts, made: JsonObject): boolean {
  call.text += asText(call.type === 'custom' ? made.input : made.arguments)
  const name = asText(made.name)
  if (name === '') return false
  if (call.name === '') {
    call.name = name
    return false
  }
  if (call.name !== name) throw malformed('a tool call of its stream changes its name')
  delete made.name
  return true
}

/** Words of a delta whose other fields are empty, however often it comes. */
function onlyWords(choices: readonly JsonValue[]): string | undefined {
  const [choice] = choices
  if (choices.length !== 1 || !isObject(choice) || !isObject(choice.delta)) return undefined
  const { content, role: _role, ...others } = choice.delta
  return Object.values(others).every((value) => value === null || value === '' || (Array.isArray(value) && value.length === 0))
    ? asText(content)
    : undefined
}

function readText(parts: ChoiceParts, delta: JsonObject): void {
  parts.content += asText(delta.content)
  parts.refusal += asText(delta.refusal)
  parts.reasoning += asText(delta.reasoning_content)
  parts.thinking.push(...objectsOf(delta.thinking_blocks))
}

/** A whole message in a chunk would be read by some clients and not by others. */
function refuseWholeMessage(message: JsonValue | undefined): void {
  if (isObject(message) && (hasEntries(message.tool_calls) || !isAbsent(message.function_call)))
    throw malformed('its stream carries a tool call outside of a delta')
}
