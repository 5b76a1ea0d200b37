/**
 * Puts the events of one messages stream together: blocks with their text, thinking and calls, stop reason and usage.
 * It refuses what two clients could put together differently.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import { asText, canonicalJson, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { parseArguments } from '../../request/call-arguments.ts'
import { cutCallsOf, type MadeCall, maxBlocks, openBlocksOf, type StreamBlock } from '../stream-blocks.ts'
import { bytesOf } from '../round-text.ts'
import { answeredObjects, asUpstreamError } from '../upstream-fields.ts'
import type { ResponseView } from '../../dialect.ts'
import { isAbsent, malformed } from '../../request/fields.ts'
import { isSayable, isVendorRun, messagesFinish } from './answer.ts'
import { requireText } from './events.ts'
import { textOfBlocks } from './views.ts'
import { readMessagesUsage } from './usage.ts'

export class MessagesRound {
  id = ''
  model = ''
  isStopped = false
  #usage: JsonObject | undefined
  #stopReason: JsonValue | undefined
  readonly #blocks = new Map<number, StreamBlock>()

  /** `message_start`. */
  start(message: JsonObject): void {
    if (answeredObjects(message.content, 'the content of its message').some((block) => block.type === 'tool_use'))
      throw malformed('its stream carries a tool call outside of a block')
    this.id = asText(message.id)
    this.model = asText(message.model)
    if (isObject(message.usage)) this.#usage = { ...message.usage }
  }

  /** `content_block_start`. True when the block is a call that the client would run. Throws for a call that cannot be read for certain. */
  startBlock(index: number, native: JsonObject): boolean {
    if (this.#blocks.has(index)) throw malformed('its stream starts a block twice')
    if (this.#blocks.size >= maxBlocks) throw malformed(`its stream has more than ${maxBlocks} blocks`)
    this.#blocks.set(index, { index, native: { ...native }, json: '', isStopped: false })
    if (native.type !== 'tool_use') return false
    requireText(native.id, 'the id of a tool call')
    requireText(native.name, 'the name of a tool call')
    return true
  }

  /** Whether a block shows that a tool of the vendor's has run. */
  get vendorRan(): boolean {
    return [...this.#blocks.values()].some(({ native }) => isVendorRun(native))
  }

  /** `content_block_delta`. */
  addDelta(index: number, delta: JsonObject): void {
    const block = this.#blocks.get(index)
    if (block === undefined || block.isStopped) throw malformed('its stream adds to a block that is not open')
    const { native } = block
    if (delta.type === 'text_delta') native.text = asText(native.text) + requireText(delta.text, 'text')
    else if (delta.type === 'input_json_delta') block.json += requireText(delta.partial_json, 'the input of a tool call')
    else if (delta.type === 'thinking_delta') native.thinking = asText(native.thinking) + asText(delta.thinking)
    else if (delta.type === 'signature_delta') native.signature = asText(delta.signature)
    else if (delta.type === 'citations_delta' && !isAbsent(delta.citation))
      native.citations = [...(Array.isArray(native.citations) ? native.citations : []), delta.citation ?? null]
  }

  /** `content_block_stop`. */
  stopBlock(index: number): void {
    const block = this.#blocks.get(index)
    if (block === undefined) throw malformed('its stream ends a block that it has not started')
    block.isStopped = true
  }

  /** Whether a block is one of text, which a client may be told more in. */
  isText(index: number): boolean {
    return this.#blocks.get(index)?.native.type === 'text'
  }

  /** Whether what a call is made with came in fragments. */
  hasFragments(index: number): boolean {
    return (this.#blocks.get(index)?.json ?? '').trim() !== ''
  }

  /** Text of our own at the end of a block of text, whose end the client has not seen. */
  addText(index: number, text: string): void {
    const native = this.#blocks.get(index)?.native
    if (native !== undefined) native.text = asText(native.text) + text
  }

  /** `message_delta`: counts are cumulative, so later ones win; nulls do not erase. */
  addMessageDelta(payload: JsonObject): void {
    if (isObject(payload.delta) && !isAbsent(payload.delta.stop_reason)) this.#stopReason = payload.delta.stop_reason
    if (!isObject(payload.usage)) return
    const known = Object.entries(payload.usage).filter(([, value]) => value !== null)
    this.#usage = { ...this.#usage, ...Object.fromEntries(known) }
  }

  get usage(): UsageRecord | undefined {
    return readMessagesUsage(this.#usage)
  }

  get nativeUsage(): JsonObject | undefined {
    return this.#usage
  }

  finish(): ResponseView['finish'] {
    return messagesFinish(this.#stopReason)
  }

  /** True when the stream ended as the dialect ends it, with every block closed. */
  isComplete(): boolean {
    return this.isStopped && this.openBlocks().length === 0
  }

  /** Bytes of what was said, thought and called so far; undefined once it has come to its end. */
  told(): number | undefined {
    if (this.isStopped || !isAbsent(this.#stopReason)) return undefined
    return bytesOf([...this.#blocks.values()].flatMap(({ native, json }) => [asText(native.text), asText(native.thinking), json]))
  }

  /** Indexes of blocks that are still open. */
  openBlocks(): number[] {
    return openBlocksOf(this.#blocks)
  }

  /** Indexes of calls that the length limit has cut off: their input is no JSON object, or had not begun. */
  cutCalls(): readonly number[] {
    return this.finish() === 'length' ? cutCallsOf(this.#blocks, ({ type }) => type === 'tool_use', inputOf) : []
  }

  /** The calls in order. Throws `upstream.malformed` when one cannot be told from another. */
  calls(): readonly MadeCall[] {
    const ids = new Set<string>()
    return [...this.#blocks.values()]
      .filter((block) => block.native.type === 'tool_use')
      .map((block) => {
        const id = asText(block.native.id)
        const name = asText(block.native.name)
        if (id === '' || name === '') throw malformed('a tool call of its stream has no id or no name')
        if (ids.has(id)) throw malformed('two tool calls of its stream have the same id')
        ids.add(id)
        const args = inputOf(block)
        const view = { id, name, args, argsText: args === undefined ? block.json : canonicalJson(args) }
        return { index: block.index, view, native: finished(block) }
      })
  }

  /** The blocks as the history would carry them, up to the one with index `before`. */
  blocks(before = Infinity): JsonObject[] {
    return [...this.#blocks.values()].filter((block) => block.index < before).map(finished)
  }

  assistantMessage(): JsonObject {
    const cut = this.cutCalls()
    const blocks = [...this.#blocks.values()].filter(({ index }) => !cut.includes(index))
    return { role: 'assistant', content: blocks.map(finished).filter(isSayable) }
  }
}

/** The text a view has of these blocks. */
export function textOfRound(blocks: readonly JsonObject[]): string {
  return asUpstreamError(() => textOfBlocks(blocks, 'content'))
}

function finished(block: StreamBlock): JsonObject {
  const { native } = block
  if (native.type === 'text') return { ...native, text: asText(native.text) }
  return native.type === 'tool_use' || block.json !== '' ? { ...native, input: inputOf(block) ?? {} } : native
}

/** Arguments come in fragments; a call without any has them in its start, most often `{}`. */
function inputOf(block: StreamBlock): JsonObject | undefined {
  if (block.json.trim() !== '') return parseArguments(block.json)
  return isObject(block.native.input) ? block.native.input : {}
}
