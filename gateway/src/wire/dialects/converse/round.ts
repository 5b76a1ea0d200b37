/**
 * Puts the events of one Converse stream together: blocks with their text, reasoning and calls, stop reason and usage. It
 * refuses what two clients could put together differently.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import { asText, canonicalJson, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { parseArguments } from '../../request/call-arguments.ts'
import { cutCallsOf, type MadeCall, maxBlocks, openBlocksOf, type StreamBlock } from '../stream-blocks.ts'
import { bytesOf } from '../round-text.ts'
import { asUpstreamError } from '../upstream-fields.ts'
import type { ResponseView } from '../../dialect.ts'
import { malformed } from '../../request/fields.ts'
import { callOf, converseFinish, isSayable } from './answer.ts'
import { readConverseUsage } from './usage.ts'
import { textOfBlocks } from './views.ts'

export class ConverseRound {
  isStopped = false
  #nativeUsage: JsonObject | undefined
  #stopReason: JsonValue | undefined
  readonly #blocks = new Map<number, StreamBlock>()

  /** `contentBlockStart`. True when the block is a call that the client would run. Throws for a call that cannot be read for certain. */
  startBlock(index: number, start: JsonObject): boolean {
    if (this.#blocks.has(index)) throw malformed('its stream starts a block twice')
    const block = this.#open(index, structuredClone(start))
    const call = callOf(block.native)
    if (call === undefined) {
      if (start.toolUse !== undefined && !isObject(start.toolUse)) throw malformed('a tool call of its stream is not an object')
      return false
    }
    if (asText(call.toolUseId) === '' || asText(call.name) === '') throw malformed('a tool call of its stream has no id or no name')
    return true
  }

  /** `contentBlockDelta`. Blocks other than calls may begin with one. */
  addDelta(index: number, delta: JsonObject): void {
    const block = this.#blocks.get(index) ?? this.#open(index, {})
    if (block.isStopped) throw malformed('its stream adds to a block that has ended')
    const { native } = block
    if (isObject(delta.toolUse)) {
      if (!isObject(native.toolUse)) throw malformed('its stream carries a tool call that it has not started')
      if (typeof delta.toolUse.input !== 'string') throw malformed('the input of a tool call of its stream is not text')
      block.json += delta.toolUse.input
    } else if (native.toolUse !== undefined) throw malformed('its stream says something else within a tool call')
    else if (delta.text !== undefined) {
      if (typeof delta.text !== 'string') throw malformed('text of its stream is not text')
      native.text = asText(native.text) + delta.text
    } else if (isObject(delta.reasoningContent)) addReasoning(native, delta.reasoningContent)
    else if (isObject(delta.citation)) native.citationsContent = withMore(native.citationsContent, 'citations', [delta.citation])
    // What the vendor's own tools gave back, and pictures a model made.
    else if (Array.isArray(delta.toolResult)) native.toolResult = withMore(native.toolResult, 'content', delta.toolResult)
    else if (isObject(delta.image)) native.image = { ...(isObject(native.image) ? native.image : {}), ...delta.image }
  }

  /** `contentBlockStop`. */
  stopBlock(index: number): void {
    const block = this.#blocks.get(index) ?? this.#open(index, { text: '' })
    if (block.isStopped) throw malformed('its stream ends a block twice')
    block.isStopped = true
  }

  /** Whether a block is one of text, which a client may be told more in. */
  isText(index: number): boolean {
    return this.#blocks.get(index)?.native.text !== undefined
  }

  /** Text of our own at the end of a block of text, whose end the client has not seen. */
  addText(index: number, text: string): void {
    const native = this.#blocks.get(index)?.native
    if (native !== undefined) native.text = asText(native.text) + text
  }

  /** `messageStop`. */
  stop(payload: JsonObject): void {
    this.isStopped = true
    this.#stopReason = payload.stopReason
  }

  /** `metadata`, which comes last. */
  addMetadata(payload: JsonObject): void {
    if (isObject(payload.usage)) this.#nativeUsage = payload.usage
  }

  get usage(): UsageRecord | undefined {
    return readConverseUsage(this.#nativeUsage)
  }

  finish(): ResponseView['finish'] {
    return converseFinish(this.#stopReason)
  }

  /** True when the stream ended as the dialect ends it, with every block closed. */
  isComplete(): boolean {
    return this.isStopped && this.openBlocks().length === 0
  }

  /** Bytes of what was said, thought and called so far; undefined once it has come to its end. */
  told(): number | undefined {
    if (this.isStopped) return undefined
    return bytesOf([...this.#blocks.values()].flatMap(({ native, json }) => [asText(native.text), thoughtOf(native), json]))
  }

  /** Indexes of blocks that are still open. */
  openBlocks(): number[] {
    return openBlocksOf(this.#blocks)
  }

  /** Indexes of calls that the length limit has cut off: their input is no JSON object, or had not begun. */
  cutCalls(): readonly number[] {
    return this.finish() === 'length' ? cutCallsOf(this.#blocks, (native) => callOf(native) !== undefined, inputOf) : []
  }

  /** The calls in order. Throws `upstream.malformed` when one cannot be told from another. */
  calls(): readonly MadeCall[] {
    const ids = new Set<string>()
    return [...this.#blocks.values()].flatMap((block) => {
      const call = callOf(block.native)
      if (call === undefined) return []
      const id = asText(call.toolUseId)
      if (ids.has(id)) throw malformed('two tool calls of its stream have the same id')
      ids.add(id)
      const args = inputOf(block)
      const view = { id, name: asText(call.name), args, argsText: args === undefined ? block.json : canonicalJson(args) }
      return [{ index: block.index, view, native: finished(block) }]
    })
  }

  /** The blocks as the history would carry them, up to the one with index `before`. */
  blocks(before = Infinity): JsonObject[] {
    return [...this.#blocks.values()].filter((block) => block.index < before && Object.keys(block.native).length > 0).map(finished)
  }

  assistantMessage(): JsonObject {
    const cut = this.cutCalls()
    const blocks = [...this.#blocks.values()].filter(({ index, native }) => !cut.includes(index) && Object.keys(native).length > 0)
    return { role: 'assistant', content: blocks.map(finished).filter(isSayable) }
  }

  #open(index: number, native: JsonObject): StreamBlock {
    if (this.#blocks.size >= maxBlocks) throw malformed(`its stream has more than ${maxBlocks} blocks`)
    const block = { index, native, json: '', isStopped: false }
    this.#blocks.set(index, block)
    return block
  }
}

/** What an event adds to a block. Throws `upstream.malformed`. */
export function deltaOf({ delta }: JsonObject): JsonObject {
  if (!isObject(delta)) throw malformed('what its stream adds to a block is not an object')
  return delta
}

/** The text a view has of these blocks. */
export function textOfRound(blocks: readonly JsonObject[]): string {
  return asUpstreamError(() => textOfBlocks(blocks, 'content'))
}

/** An object with more in one of its lists. */
function withMore(value: JsonValue | undefined, list: string, more: readonly JsonValue[]): JsonObject {
  const object = isObject(value) ? value : {}
  const before = object[list]
  return { ...object, [list]: [...(Array.isArray(before) ? before : []), ...more] }
}

function thoughtOf({ reasoningContent: reasoning }: JsonObject): string {
  return isObject(reasoning) && isObject(reasoning.reasoningText) ? asText(reasoning.reasoningText.text) : ''
}

function addReasoning(native: JsonObject, delta: JsonObject): void {
  if (delta.redactedContent !== undefined) {
    native.reasoningContent = { redactedContent: delta.redactedContent }
    return
  }
  const before =
    isObject(native.reasoningContent) && isObject(native.reasoningContent.reasoningText) ? native.reasoningContent.reasoningText : {}
  const text = asText(before.text) + asText(delta.text)
  const signature = asText(before.signature) + asText(delta.signature)
  native.reasoningContent = { reasoningText: { text, ...(signature === '' ? {} : { signature }) } }
}

/** A block as a whole answer has it. Words with citations are one block of both there. */
function finished(block: StreamBlock): JsonObject {
  const { native } = block
  if (isObject(native.toolUse)) return { toolUse: { ...native.toolUse, input: inputOf(block) ?? {} } }
  if (isObject(native.citationsContent))
    return { citationsContent: { ...native.citationsContent, content: [{ text: asText(native.text) }] } }
  return native
}

/** Arguments come in fragments; a call without any takes none. */
function inputOf(block: StreamBlock): JsonObject | undefined {
  return block.json.trim() === '' ? {} : parseArguments(block.json)
}
