/** A messages stream as neutral events: its blocks are the parts. */
import type { JsonObject } from '../../../../core/json.ts'
import { originalId, originalName } from '../../../hub/accepted-names.ts'
import { dataObject, type FramedEvent, type HubEvent, type StreamReader, truncatedMessage } from '../../../hub/events.ts'
import { objectOf, stringOf } from '../../../hub/loose-fields.ts'
import { readUpstreamError } from '../../../hub/upstream-errors.ts'
import { malformed } from '../../../request/fields.ts'
import { blockOf, deltaOf, requireText } from '../events.ts'
import { settleInput } from '../../call-inputs.ts'
import { blockIndex } from '../../stream-blocks.ts'
import { readFinish } from './finish.ts'
import { originOf, readState } from './marks.ts'
import { mergeMessagesUsage, readUsage } from './usage.ts'

type Block =
  /** `other`: what the vendor's own tools did inside the call says nothing to another dialect. */
  | { readonly kind: 'text' | 'other' }
  | { readonly kind: 'call'; readonly input: JsonObject; wrote: boolean }
  | { readonly kind: 'reasoning'; signature: string }

export class MessagesStreamReader implements StreamReader {
  readonly #emit: (event: HubEvent) => void
  #state: 'waiting' | 'streaming' | 'over' = 'waiting'
  /** Open blocks by their index, which is their part. */
  readonly #blocks = new Map<number, Block>()
  /** A call that has ended without a fragment: its input stands in its start, unless the length limit fell before it. */
  #unwritten: { readonly part: number; readonly input: JsonObject } | undefined
  #reason: string | undefined
  #explanation: string | undefined
  #stopSequence: string | undefined
  #usage: JsonObject | undefined

  constructor(emit: (event: HubEvent) => void) {
    this.#emit = emit
  }

  read(event: FramedEvent): void {
    // Proxies keep a stream alive with `data:` and nothing else.
    if (this.#state === 'over' || (event.data.length < 16 && event.data.trim() === '')) return
    const payload = dataObject(event)
    if (payload === undefined) throw malformed('an event of its stream is not a JSON object')
    switch (stringOf(payload.type) ?? event.event) {
      case 'message_start':
        return this.#start(objectOf(payload.message) ?? {})
      case 'content_block_start':
        return this.#startBlock(blockIndex(payload.index), blockOf(payload))
      case 'content_block_delta':
        return this.#readDelta(blockIndex(payload.index), deltaOf(payload))
      case 'content_block_stop':
        return this.#stopBlock(blockIndex(payload.index))
      case 'message_delta': {
        const delta = objectOf(payload.delta)
        this.#reason = stringOf(delta?.stop_reason) ?? this.#reason
        this.#explanation = stringOf(objectOf(delta?.stop_details)?.explanation) ?? this.#explanation
        this.#stopSequence = stringOf(delta?.stop_sequence) ?? this.#stopSequence
        this.#usage = mergeMessagesUsage(this.#usage, objectOf(payload.usage))
        return
      }
      case 'message_stop':
        return this.#stop()
      case 'error':
        this.#state = 'over'
        return this.#emit({ kind: 'error', error: readUpstreamError(payload) })
      default:
        // `ping`, and events newer than this code: the format asks readers to ignore what they do not know.
        return
    }
  }

  end(): void {
    // Without `message_stop` there is no end.
  }

  #start(message: JsonObject): void {
    if (this.#state !== 'waiting') throw malformed('its stream starts a message twice')
    this.#state = 'streaming'
    this.#usage = objectOf(message.usage)
    this.#emit({ kind: 'start', id: stringOf(message.id), model: stringOf(message.model) ?? '' })
  }

  #startBlock(part: number, block: JsonObject): void {
    this.#endUnwritten(true)
    switch (block.type) {
      case 'text':
        this.#open(part, { kind: 'text' }, { kind: 'text' })
        return this.#say(part, stringOf(block.text) ?? '')
      case 'thinking': {
        const signature = stringOf(block.signature) ?? ''
        this.#open(part, { kind: 'reasoning', signature }, { kind: 'reasoning', origin: originOf(signature) })
        return this.#say(part, stringOf(block.thinking) ?? '')
      }
      case 'redacted_thinking': {
        this.#blocks.set(part, { kind: 'other' })
        const data = stringOf(block.data)
        if (data !== undefined)
          this.#emit({ kind: 'whole-part', part, content: readState(data) ?? { kind: 'sealed', family: 'anthropic', data } })
        return
      }
      case 'tool_use': {
        const id = stringOf(block.id)
        const name = stringOf(block.name)
        if (id === undefined || name === undefined) throw malformed('a tool call of its stream has no id or no name')
        settleInput(block, 'input')
        const open: Block = { kind: 'call', input: objectOf(block.input) ?? {}, wrote: false }
        return this.#open(part, open, { kind: 'call', id: originalId(id), name: originalName(name) })
      }
      default:
        this.#blocks.set(part, { kind: 'other' })
    }
  }

  #open(part: number, block: Block, content: (HubEvent & { readonly kind: 'part-start' })['content']): void {
    this.#blocks.set(part, block)
    this.#emit({ kind: 'part-start', part, content })
  }

  #say(part: number, text: string): void {
    if (text !== '') this.#emit({ kind: 'part-text', part, text })
  }

  #readDelta(part: number, delta: JsonObject): void {
    const block = this.#blocks.get(part)
    if (block === undefined) throw malformed('its stream adds to a block that is not open')
    if (block.kind === 'text' && delta.type === 'text_delta') this.#say(part, requireText(delta.text, 'text'))
    else if (block.kind === 'reasoning' && delta.type === 'thinking_delta') this.#say(part, stringOf(delta.thinking) ?? '')
    else if (block.kind === 'reasoning' && delta.type === 'signature_delta') block.signature += stringOf(delta.signature) ?? ''
    else if (block.kind === 'call' && delta.type === 'input_json_delta') {
      const text = requireText(delta.partial_json, 'the input of a tool call')
      if (text !== '') block.wrote = true
      this.#say(part, text)
    }
  }

  #stopBlock(part: number): void {
    const block = this.#blocks.get(part)
    if (block === undefined) throw malformed('its stream ends a block that is not open')
    this.#blocks.delete(part)
    if (block.kind === 'other') return
    if (block.kind === 'call' && !block.wrote) {
      this.#endUnwritten(true)
      this.#unwritten = { part, input: block.input }
      return
    }
    const origin = block.kind === 'reasoning' ? originOf(block.signature) : undefined
    const seal = origin?.by === 'signature' ? { family: origin.family, signature: origin.signature } : undefined
    this.#emit({ kind: 'part-end', part, seal })
  }

  /** Ends it, with its input (most often `{}`) if it is whole. */
  #endUnwritten(isWhole: boolean): void {
    const call = this.#unwritten
    if (call === undefined) return
    this.#unwritten = undefined
    if (isWhole) this.#say(call.part, JSON.stringify(call.input))
    this.#emit({ kind: 'part-end', part: call.part, seal: undefined })
  }

  #stop(): void {
    const isOpen = [...this.#blocks.values()].some(({ kind }) => kind === 'call' || kind === 'reasoning')
    const isWhole = this.#state === 'streaming' && !isOpen
    this.#state = 'over'
    if (!isWhole) return this.#emit({ kind: 'error', error: { type: 'api_error', message: truncatedMessage } })
    const finish = readFinish(this.#reason, this.#explanation, this.#stopSequence)
    this.#endUnwritten(finish.reason !== 'length')
    this.#emit({ kind: 'end', finish, usage: readUsage(this.#usage) })
  }
}
