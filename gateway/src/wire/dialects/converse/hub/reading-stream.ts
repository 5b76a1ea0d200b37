/** A Converse stream as neutral events: its blocks are the parts. A block of text or reasoning may begin with its first words. */
import { isObject, type JsonObject } from '../../../../core/json.ts'
import { originalId, originalName } from '../../../hub/accepted-names.ts'
import type { AnswerOptions } from '../../../hub/dialect-hub.ts'
import { dataObject, type FramedEvent, type GrowingPart, type HubEvent, type StreamReader, truncatedMessage } from '../../../hub/events.ts'
import { countOf, objectOf, stringOf } from '../../../hub/loose-fields.ts'
import { readUpstreamError } from '../../../hub/upstream-errors.ts'
import { isAbsent, malformed } from '../../../request/fields.ts'
import { blockIndex } from '../../stream-blocks.ts'
import { callOf } from '../answer.ts'
import { deltaOf } from '../round.ts'
import { converseErrorIn } from '../errors.ts'
import { readUsage } from './usage.ts'
import { readFinish } from './finish.ts'
import { namesOf } from './names.ts'
import { originOf } from './reasoning.ts'

type Block =
  | { readonly kind: 'text' | 'other' }
  | { readonly kind: 'reasoning'; signature: string }
  | { readonly kind: 'call'; wrote: boolean }

export class ConverseStreamReader implements StreamReader {
  readonly #emit: (event: HubEvent) => void
  readonly #options: AnswerOptions
  #state: 'waiting' | 'streaming' | 'stopped' | 'over' = 'waiting'
  readonly #blocks = new Map<number, Block>()
  /** A call that has ended without a fragment: it takes no arguments, unless the length limit fell before them. */
  #unwritten: number | undefined
  #reason: string | undefined

  constructor(emit: (event: HubEvent) => void, options: AnswerOptions) {
    this.#emit = emit
    this.#options = options
  }

  read(event: FramedEvent): void {
    if (this.#state === 'over' || event.data.trim() === '') return
    const payload = dataObject(event)
    if (payload === undefined) throw malformed('an event of its stream is not a JSON object')
    const error = converseErrorIn(payload, event.event ?? 'event')
    if (error !== undefined) {
      this.#state = 'over'
      return this.#emit({ kind: 'error', error: readUpstreamError({ message: error.message ?? '' }, countOf(error.status)) })
    }
    switch (event.event) {
      case 'messageStart':
        if (this.#state !== 'waiting') throw malformed('its stream starts a message twice')
        this.#state = 'streaming'
        return this.#emit({ kind: 'start', ...namesOf(this.#options) })
      case 'contentBlockStart':
        return this.#startBlock(blockIndex(payload.contentBlockIndex), objectOf(payload.start) ?? {})
      case 'contentBlockDelta':
        return this.#readDelta(blockIndex(payload.contentBlockIndex), deltaOf(payload))
      case 'contentBlockStop':
        return this.#stopBlock(blockIndex(payload.contentBlockIndex))
      case 'messageStop': {
        const isOpen = [...this.#blocks.values()].some(({ kind }) => kind === 'call' || kind === 'reasoning')
        this.#reason = stringOf(payload.stopReason)
        if (this.#state === 'streaming' && !isOpen) this.#state = 'stopped'
        else this.#fail()
        return
      }
      case 'metadata':
        return this.#finish(payload)
      default:
        // Events newer than this code say nothing to another dialect.
        return
    }
  }

  end(): void {
    // What the call has cost comes last, and an answer is whole without it.
    if (this.#state === 'stopped') this.#finish({})
  }

  #finish(metadata: JsonObject): void {
    if (this.#state !== 'stopped') return
    this.#state = 'over'
    const finish = readFinish(this.#reason)
    this.#endUnwritten(finish.reason !== 'length')
    this.#emit({ kind: 'end', finish, usage: readUsage(metadata.usage) })
  }

  #fail(): void {
    this.#state = 'over'
    this.#emit({ kind: 'error', error: { type: 'api_error', message: truncatedMessage } })
  }

  #startBlock(part: number, start: JsonObject): void {
    this.#endUnwritten(true)
    if (!isAbsent(start.toolUse) && !isObject(start.toolUse)) throw malformed('a tool call of its stream is not an object')
    const call = callOf(start)
    // Text and reasoning begin with their first words; what the vendor's own tools do says nothing to another dialect.
    if (call === undefined) {
      if (Object.keys(start).length > 0) this.#blocks.set(part, { kind: 'other' })
      return
    }
    const id = stringOf(call.toolUseId)
    const name = stringOf(call.name)
    if (id === undefined || name === undefined) throw malformed('a tool call of its stream has no id or no name')
    this.#open(part, { kind: 'call', wrote: false }, { kind: 'call', id: originalId(id), name: originalName(name) })
  }

  #open(part: number, block: Block, content: GrowingPart): Block {
    this.#blocks.set(part, block)
    this.#emit({ kind: 'part-start', part, content })
    return block
  }

  #say(part: number, text: string): void {
    if (text !== '') this.#emit({ kind: 'part-text', part, text })
  }

  #readDelta(part: number, delta: JsonObject): void {
    if (!this.#blocks.has(part)) this.#endUnwritten(true)
    const reasoning = objectOf(delta.reasoningContent)
    if (reasoning !== undefined) return this.#readReasoning(part, reasoning)
    if (!isAbsent(delta.text)) {
      if (typeof delta.text !== 'string') throw malformed('text of its stream is not text')
      const block = this.#blocks.get(part) ?? this.#open(part, { kind: 'text' }, { kind: 'text' })
      if (block.kind === 'text') this.#say(part, delta.text)
      return
    }
    const input = stringOf(objectOf(delta.toolUse)?.input)
    if (input === undefined) return
    const block = this.#blocks.get(part)
    if (block === undefined) throw malformed('its stream adds to a call that is not open')
    if (block.kind !== 'call') return
    if (input !== '') block.wrote = true
    this.#say(part, input)
  }

  #readReasoning(part: number, delta: JsonObject): void {
    const sealed = stringOf(delta.redactedContent)
    if (sealed !== undefined) {
      this.#blocks.set(part, { kind: 'other' })
      return this.#emit({ kind: 'whole-part', part, content: { kind: 'sealed', family: 'anthropic', data: sealed } })
    }
    const block =
      this.#blocks.get(part) ?? this.#open(part, { kind: 'reasoning', signature: '' }, { kind: 'reasoning', origin: { by: 'unknown' } })
    if (block.kind !== 'reasoning') return
    block.signature += stringOf(delta.signature) ?? ''
    this.#say(part, stringOf(delta.text) ?? '')
  }

  #stopBlock(part: number): void {
    const block = this.#blocks.get(part)
    this.#blocks.delete(part)
    if (block === undefined || block.kind === 'other') return
    if (block.kind === 'call' && !block.wrote) {
      this.#endUnwritten(true)
      this.#unwritten = part
      return
    }
    const origin = block.kind === 'reasoning' ? originOf(block.signature) : undefined
    const seal = origin?.by === 'signature' ? { family: origin.family, signature: origin.signature } : undefined
    this.#emit({ kind: 'part-end', part, seal })
  }

  #endUnwritten(isWhole: boolean): void {
    const part = this.#unwritten
    if (part === undefined) return
    this.#unwritten = undefined
    if (isWhole) this.#say(part, '{}')
    this.#emit({ kind: 'part-end', part, seal: undefined })
  }
}
