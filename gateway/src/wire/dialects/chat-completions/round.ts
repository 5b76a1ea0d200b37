/**
 * Puts the chunks of one chat-completions stream together: text, calls, finish and usage. It refuses whatever two
 * clients could put together differently, because then the call decided on would not be the call that runs.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { chatFinish } from './answer.ts'
import { parseArguments } from '../../request/call-arguments.ts'
import { deltaText } from './call-fields.ts'
import { NormalCalls } from './normal-calls.ts'
import { chatCallView } from './views.ts'
import type { ResponseView, ToolCallView } from '../../dialect.ts'
import { isAbsent, malformed, objectsOf } from '../../request/fields.ts'
import { bytesOf } from '../round-text.ts'
import { readChatUsage } from './usage.ts'

interface CallParts {
  readonly choice: number
  readonly index: number
  type: 'function' | 'custom'
  id: string
  name: string
  text: string
  /** What a vendor hangs on a call beside that (signatures of thoughts), which it wants back: on the call, and on what it calls. */
  readonly extras: JsonObject
  readonly madeExtras: JsonObject
}

interface ChoiceParts {
  content: string
  /** The content as parts, when a vendor sends it so. */
  pieces: JsonValue[] | undefined
  refusal: string
  /** Reasoning by the name of its field: vendors take it back under the name they gave it. */
  readonly reasoning: Partial<Record<(typeof reasoningFields)[number], string>>
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

const reasoningFields = ['reasoning_content', 'reasoning'] as const

export class ChatRound {
  id = ''
  model = ''
  usage: UsageRecord | undefined
  isDone = false
  readonly choices = new Map<number, ChoiceParts>()
  readonly #calls = new Map<string, CallParts>()
  /** Calls whose name came in pieces. */
  readonly #pieced = new Set<string>()
  readonly #normal = new NormalCalls()

  /** Takes one chunk. Throws `upstream.malformed`. */
  read(chunk: JsonObject, choices: readonly JsonValue[]): ChunkReading {
    if (this.id === '') this.id = asText(chunk.id)
    if (this.model === '') this.model = asText(chunk.model)
    this.usage = readChatUsage(chunk.usage) ?? this.usage
    let hasCalls = false
    let hasFinish = false
    const isEdited = this.#normal.read(chunk)
    for (const choice of choices) {
      if (!isObject(choice)) throw malformed('a choice of its stream is not an object')
      const index = choiceIndex(choice)
      const parts = this.#partsOf(index)
      if (isObject(choice.delta)) {
        if (hasEntries(choice.delta.tool_calls)) {
          hasCalls = true
          this.#readCalls(choice.delta.tool_calls, index)
        }
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

  /**
   * True when the stream ended as the dialect ends it, or with a finish reason of every choice and a proper end (`isProper`).
   * Cut-off arguments may still be valid JSON, so calls need their finish.
   */
  isComplete(isProper: boolean): boolean {
    const choices = [...this.choices.values()]
    const finished = choices.filter((choice) => !isAbsent(choice.finish)).length
    if (!this.isDone) return isProper && finished > 0 && finished === choices.length
    return this.#calls.size === 0 || finished > 0
  }

  /** Bytes of what was said, thought and called so far; undefined once all of it has come to its end. */
  told(): number | undefined {
    const choices = [...this.choices.values()]
    if (this.isDone || (choices.length > 0 && choices.every(({ finish }) => !isAbsent(finish)))) return undefined
    const texts = choices.flatMap(({ content, refusal, reasoning }) => [content, refusal, ...Object.values(reasoning)])
    return bytesOf([...texts, ...[...this.#calls.values()].flatMap(({ name, text }) => [name, text])])
  }

  /** Calls that the length limit has cut off: their arguments are no JSON object, or had not begun. */
  cutCalls(): readonly CallParts[] {
    const calls = [...this.#calls.values()]
    return calls.filter((call) => {
      if (call.type !== 'function' || chatFinish(this.choices.get(call.choice)?.finish) !== 'length') return false
      const isLast = !calls.some((other) => other.choice === call.choice && other.index > call.index)
      return (isLast && call.text.trim() === '') || parseArguments(call.text) === undefined
    })
  }

  /** Names that came in pieces, by choice and index; undefined when none did. */
  piecedNames(): Map<string, string> | undefined {
    if (this.#pieced.size === 0) return undefined
    return new Map([...this.#pieced].map((key) => [key, this.#calls.get(key)?.name ?? '']))
  }

  /** The first choice's message with all its calls. */
  assistantMessage(): JsonObject {
    const parts = this.#partsOf(0)
    const cut = new Set(this.cutCalls().map((call) => call.id))
    const calls = this.calls().filter((call) => call.choice === 0 && !cut.has(call.id))
    const content = parts.pieces ?? parts.content
    return {
      role: 'assistant',
      content: parts.content === '' && parts.pieces === undefined && calls.length > 0 ? null : content,
      ...(parts.refusal === '' ? {} : { refusal: parts.refusal }),
      ...parts.reasoning,
      ...(parts.thinking.length === 0 ? {} : { thinking_blocks: parts.thinking }),
      ...(calls.length === 0 ? {} : { tool_calls: calls.map(nativeCall) }),
    }
  }

  /** Takes the call fragments of a delta, which have the documented form. */
  #readCalls(fragments: JsonValue | undefined, choice: number): void {
    for (const fragment of objectsOf(fragments)) {
      const { index, id, type: _type, function: fn, custom, ...extras } = fragment
      const key = `${choice}:${Number(index)}`
      let call = this.#calls.get(key)
      if (call === undefined) {
        call = { choice, index: Number(index), type: 'function', id: asText(id), name: '', text: '', extras: {}, madeExtras: {} }
        this.#calls.set(key, call)
      }
      if (isObject(custom)) call.type = 'custom'
      Object.assign(call.extras, extras)
      const made = isObject(custom) ? custom : fn
      if (!isObject(made)) continue
      const { name, arguments: text, input, ...madeExtras } = made
      if (call.name !== '' && asText(name) !== '') this.#pieced.add(key)
      call.name += asText(name)
      call.text += asText(call.type === 'custom' ? input : text)
      Object.assign(call.madeExtras, madeExtras)
    }
  }

  #partsOf(index: number): ChoiceParts {
    let parts = this.choices.get(index)
    if (parts === undefined) {
      parts = { content: '', pieces: undefined, refusal: '', reasoning: {}, thinking: [], finish: undefined }
      this.choices.set(index, parts)
    }
    return parts
  }
}

/** A call as `tool_calls` of a message carries it. */
export function nativeCall(call: CallParts): JsonObject {
  const { id, type, name, text, extras, madeExtras } = call
  const made = type === 'custom' ? { custom: { ...madeExtras, name, input: text } } : { function: { ...madeExtras, name, arguments: text } }
  return { ...extras, id, type, ...made }
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
  const { content } = delta
  if (Array.isArray(content) && parts.pieces === undefined)
    parts.pieces = parts.content === '' ? [] : [{ type: 'text', text: parts.content }]
  const text = deltaText(content)
  if (parts.pieces !== undefined) addPieces(parts.pieces, Array.isArray(content) ? content : text === '' ? [] : [{ type: 'text', text }])
  parts.content += text
  parts.refusal += asText(delta.refusal)
  for (const field of reasoningFields) {
    const text = asText(delta[field])
    if (text !== '') parts.reasoning[field] = (parts.reasoning[field] ?? '') + text
  }
  parts.thinking.push(...objectsOf(delta.thinking_blocks))
}

/** Text goes on with the text before it; every other part stands for itself. */
function addPieces(pieces: JsonValue[], added: readonly JsonValue[]): void {
  for (const piece of added) {
    const last = pieces.at(-1)
    const goesOn = isObject(last) && isObject(piece) && last.type === 'text' && piece.type === 'text'
    if (goesOn) pieces[pieces.length - 1] = { ...last, ...piece, text: asText(last.text) + asText(piece.text) }
    else pieces.push(piece)
  }
}
