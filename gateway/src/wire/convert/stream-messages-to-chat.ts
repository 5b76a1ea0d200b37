/**
 * A messages stream as a chat-completions stream, event by event: text and arguments pass at once.
 * A stream without `message_stop` ends in an error event, never in a finish reason or `[DONE]`.
 */
import { systemClock } from '../../core/clock.ts'
import type { JsonObject } from '../../core/json.ts'
import { readUpstreamError } from './error-conversion.ts'
import { finishReason } from './finish-reasons.ts'
import {
  chatDone,
  chatEvent,
  dataObject,
  type FramedEvent,
  malformedMessage,
  maxKeptCharacters,
  type StreamConverter,
  truncatedMessage,
} from './framed-event.ts'
import { objectOf, stringOf } from './reading.ts'
import type { CreatedOption } from './response-messages-to-chat.ts'
import { signedThinking } from './thinking-blocks.ts'
import { mergeMessagesUsage, messagesUsageToChat } from './usage.ts'

export interface ChatStreamOptions extends CreatedOption {
  /** The client asked for the usage chunk (`stream_options.include_usage`). */
  readonly includeUsage: boolean
}

type Block =
  | { readonly kind: 'call'; readonly index: number; readonly input: JsonObject; wrote: boolean }
  | { readonly kind: 'thinking'; thinking: string; signature: string }

export class MessagesStreamToChat implements StreamConverter {
  private readonly includeUsage: boolean
  private readonly created: number
  private out = ''
  private state: 'waiting' | 'streaming' | 'stopped' | 'failed' = 'waiting'
  private id = ''
  private model = ''
  /** Open blocks that need more than passing on, by their index. */
  private readonly blocks = new Map<number, Block>()
  private callCount = 0
  private kept = 0
  private reason: string | undefined
  private explanation: string | undefined
  private usage: JsonObject | undefined

  constructor(options: ChatStreamOptions) {
    this.includeUsage = options.includeUsage
    this.created = options.created ?? Math.floor(systemClock.now() / 1000)
  }

  push(event: FramedEvent): string {
    if (this.state === 'waiting' || this.state === 'streaming') this.read(event)
    return this.take()
  }

  end(): string {
    return this.take()
  }

  private take(): string {
    const text = this.out
    this.out = ''
    return text
  }

  private read(event: FramedEvent): void {
    const payload = dataObject(event)
    if (payload === undefined) return this.fail('api_error', malformedMessage)
    const index = typeof payload.index === 'number' ? payload.index : 0
    switch (stringOf(payload.type) ?? event.event) {
      case 'message_start':
        return this.start(objectOf(payload.message) ?? {})
      case 'content_block_start':
        return this.startBlock(index, objectOf(payload.content_block) ?? {})
      case 'content_block_delta':
        return this.readDelta(index, objectOf(payload.delta) ?? {})
      case 'content_block_stop':
        return this.stopBlock(index)
      case 'message_delta': {
        const delta = objectOf(payload.delta)
        this.reason = stringOf(delta?.stop_reason) ?? this.reason
        this.explanation = stringOf(objectOf(delta?.stop_details)?.explanation) ?? this.explanation
        this.usage = mergeMessagesUsage(this.usage, objectOf(payload.usage))
        return
      }
      case 'message_stop':
        return this.stop()
      case 'error': {
        const error = readUpstreamError(payload)
        return this.fail(error.type, error.message)
      }
      default:
        // `ping`, and events newer than this code: the format asks readers to ignore what they do not know.
        return
    }
  }

  private start(message: JsonObject): void {
    if (this.state !== 'waiting') return this.fail('api_error', malformedMessage)
    this.state = 'streaming'
    this.id = stringOf(message.id) ?? ''
    this.model = stringOf(message.model) ?? ''
    this.usage = objectOf(message.usage)
    this.write({ role: 'assistant', content: '' })
  }

  private startBlock(index: number, block: JsonObject): void {
    if (block.type === 'text' && typeof block.text === 'string' && block.text !== '') this.write({ content: block.text })
    else if (block.type === 'tool_use') this.startCall(index, block)
    else if (block.type === 'redacted_thinking') this.write({ thinking_blocks: signedThinking([block]) })
    else if (block.type === 'thinking') {
      this.blocks.set(index, { kind: 'thinking', thinking: '', signature: stringOf(block.signature) ?? '' })
      this.think(index, stringOf(block.thinking) ?? '')
    }
  }

  private startCall(index: number, block: JsonObject): void {
    const id = stringOf(block.id)
    const name = stringOf(block.name)
    if (id === undefined || name === undefined) return this.fail('api_error', malformedMessage)
    const call = this.callCount++
    this.blocks.set(index, { kind: 'call', index: call, input: objectOf(block.input) ?? {}, wrote: false })
    this.write({ tool_calls: [{ index: call, id, type: 'function', function: { name, arguments: '' } }] })
  }

  private readDelta(index: number, delta: JsonObject): void {
    const block = this.blocks.get(index)
    if (delta.type === 'text_delta') {
      if (typeof delta.text === 'string' && delta.text !== '') this.write({ content: delta.text })
    } else if (delta.type === 'thinking_delta') this.think(index, stringOf(delta.thinking) ?? '')
    else if (delta.type === 'signature_delta' && block?.kind === 'thinking') block.signature += stringOf(delta.signature) ?? ''
    else if (delta.type === 'input_json_delta' && block?.kind === 'call') {
      const text = stringOf(delta.partial_json) ?? ''
      if (text !== '') this.writeArguments(block, text)
    }
  }

  private think(index: number, text: string): void {
    const block = this.blocks.get(index)
    if (block?.kind !== 'thinking' || text === '') return
    this.kept += text.length
    if (this.kept > maxKeptCharacters) return this.fail('api_error', malformedMessage)
    block.thinking += text
    this.write({ reasoning_content: text })
  }

  private writeArguments(call: Extract<Block, { kind: 'call' }>, text: string): void {
    call.wrote = true
    this.write({ tool_calls: [{ index: call.index, function: { arguments: text } }] })
  }

  private stopBlock(index: number): void {
    const block = this.blocks.get(index)
    this.blocks.delete(index)
    // A call without fragments has its input in the start event, most often `{}`.
    if (block?.kind === 'call' && !block.wrote) this.writeArguments(block, JSON.stringify(block.input))
    if (block?.kind === 'thinking') {
      // The whole block at once, so that a client can send it back by collecting, without joining signatures.
      const signed = signedThinking([{ type: 'thinking', thinking: block.thinking, signature: block.signature }])
      if (signed.length > 0) this.write({ thinking_blocks: signed })
    }
  }

  private stop(): void {
    if (this.state !== 'streaming' || this.blocks.size > 0) return this.fail('api_error', truncatedMessage)
    if (this.reason === 'refusal' && this.explanation !== undefined) this.write({ refusal: this.explanation })
    this.write({}, finishReason(this.reason, this.callCount > 0))
    const usage = this.includeUsage ? messagesUsageToChat(this.usage) : undefined
    if (usage !== undefined) this.out += chatEvent({ ...this.envelope(), choices: [], usage })
    this.out += chatDone
    this.state = 'stopped'
  }

  private envelope(): JsonObject {
    return { id: this.id, object: 'chat.completion.chunk', created: this.created, model: this.model }
  }

  private write(delta: JsonObject, finish: string | null = null): void {
    this.out += chatEvent({ ...this.envelope(), choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] })
  }

  private fail(type: string, message: string): void {
    this.state = 'failed'
    this.out += chatEvent({ error: { message, type, param: null, code: null } })
  }
}
