/**
 * A chat-completions stream as a messages stream, event by event: text and arguments pass at once.
 * A stream that stops before a finish reason ends in an error event, never in `message_stop`.
 */
import { isObject, type JsonObject } from '../../core/json.ts'
import { readUpstreamError } from './error-conversion.ts'
import { stopReason } from './finish-reasons.ts'
import { dataObject, type FramedEvent, malformedMessage, maxKeptCharacters, messagesEvent, type StreamConverter } from './framed-event.ts'
import { objectsOf } from '../request/fields.ts'
import { objectOf, stringOf } from './reading.ts'
import { unnamedMessage } from './response-chat-to-messages.ts'
import { chatReasoningSignature, reasoningOf, signedThinking } from './thinking-blocks.ts'
import { parseArguments } from './tool-arguments.ts'
import { chatUsageToMessages } from './usage.ts'

interface OpenCall {
  readonly block: number
  /** Arguments so far, only to know when they are complete. */
  text: string
  closed: boolean
}

/** Calls one message may have, to bound memory. */
const maxCalls = 1024

export class ChatStreamToMessages implements StreamConverter {
  private out = ''
  private state: 'waiting' | 'streaming' | 'stopped' | 'failed' = 'waiting'
  private nextBlock = 0
  /** The open text or thinking block. */
  private open: { readonly kind: 'text' | 'thinking'; readonly block: number } | undefined
  /** Calls by their chat index. */
  private readonly calls = new Map<number, OpenCall>()
  private lastCall: OpenCall | undefined
  private kept = 0
  private finish: string | undefined
  private refused = false
  private usage: JsonObject | undefined

  push(event: FramedEvent): string {
    if (this.state === 'stopped' || this.state === 'failed') return ''
    if (event.data.trim() === '[DONE]') this.stop()
    else this.read(event)
    return this.take()
  }

  end(): string {
    // Some servers close without `[DONE]`; a finish reason says the message is complete.
    if (this.state === 'waiting' || this.state === 'streaming') this.stop()
    return this.take()
  }

  private take(): string {
    const text = this.out
    this.out = ''
    return text
  }

  private read(event: FramedEvent): void {
    const chunk = dataObject(event)
    if (chunk === undefined) return this.fail('api_error', malformedMessage)
    if (event.event === 'error' || (chunk.error !== undefined && chunk.error !== null)) {
      const error = readUpstreamError(chunk)
      return this.fail(error.type, error.message)
    }
    this.start(chunk)
    if (isObject(chunk.usage)) this.usage = chunk.usage
    // Only the first choice exists in the messages dialect.
    const choice = objectsOf(chunk.choices).find((item) => (item.index ?? 0) === 0)
    if (choice === undefined) return
    this.readDelta(objectOf(choice.delta) ?? {})
    if (this.state === 'streaming') this.finish = stringOf(choice.finish_reason) ?? this.finish
  }

  private start(chunk: JsonObject): void {
    if (this.state !== 'waiting') return
    this.state = 'streaming'
    const message = {
      id: stringOf(chunk.id) ?? unnamedMessage,
      type: 'message',
      role: 'assistant',
      model: stringOf(chunk.model) ?? '',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 0, output_tokens: 0 },
    }
    this.out += messagesEvent({ type: 'message_start', message })
  }

  private readDelta(delta: JsonObject): void {
    const signed = signedThinking(delta.thinking_blocks)
    // An upstream that sends whole blocks sends their text as reasoning too: the block says it all once.
    for (const block of signed) this.writeSigned(block)
    const reasoning = signed.length === 0 ? reasoningOf(delta) : ''
    if (reasoning !== '') this.writeText('thinking', { type: 'thinking_delta', thinking: reasoning })
    const content = stringOf(delta.content) ?? ''
    if (content !== '') this.writeText('text', { type: 'text_delta', text: content })
    const refusal = stringOf(delta.refusal) ?? ''
    if (refusal !== '') {
      this.refused = true
      this.writeText('text', { type: 'text_delta', text: refusal })
    }
    for (const fragment of objectsOf(delta.tool_calls)) if (this.state === 'streaming') this.readCall(fragment)
  }

  private writeText(kind: 'text' | 'thinking', delta: JsonObject): void {
    if (this.open?.kind !== kind) {
      this.closeText()
      this.closeFinishedCall()
      this.open = { kind, block: this.nextBlock++ }
      const block = kind === 'text' ? { type: 'text', text: '', citations: null } : { type: 'thinking', thinking: '', signature: '' }
      this.out += messagesEvent({ type: 'content_block_start', index: this.open.block, content_block: block })
    }
    this.out += messagesEvent({ type: 'content_block_delta', index: this.open.block, delta })
  }

  /** A thinking block with its signature: it signs the reasoning streamed before it, or is a block of its own. */
  private writeSigned(block: JsonObject): void {
    if (block.type === 'thinking') {
      if (this.open?.kind !== 'thinking') this.writeText('thinking', { type: 'thinking_delta', thinking: block.thinking ?? '' })
      this.closeText(stringOf(block.signature))
      return
    }
    this.closeText()
    const index = this.nextBlock++
    this.out += messagesEvent({ type: 'content_block_start', index, content_block: block })
    this.out += messagesEvent({ type: 'content_block_stop', index })
  }

  private closeText(signature = chatReasoningSignature): void {
    if (this.open === undefined) return
    const index = this.open.block
    if (this.open.kind === 'thinking')
      this.out += messagesEvent({ type: 'content_block_delta', index, delta: { type: 'signature_delta', signature } })
    this.out += messagesEvent({ type: 'content_block_stop', index })
    this.open = undefined
  }

  private readCall(fragment: JsonObject): void {
    const called = objectOf(fragment.function)
    const index = typeof fragment.index === 'number' ? fragment.index : this.calls.size
    const call = this.calls.get(index) ?? this.startCall(index, stringOf(fragment.id), stringOf(called?.name))
    const text = stringOf(called?.arguments) ?? ''
    if (call === undefined || text === '') return
    this.kept += text.length
    // Text for a call that was complete, or more than we would keep of one: not a stream we understand.
    if (call.closed || this.kept > maxKeptCharacters) return this.fail('api_error', malformedMessage)
    call.text += text
    this.out += messagesEvent({ type: 'content_block_delta', index: call.block, delta: { type: 'input_json_delta', partial_json: text } })
  }

  private startCall(index: number, id: string | undefined, name: string | undefined): OpenCall | undefined {
    if (id === undefined || id === '' || name === undefined || name === '' || this.calls.size >= maxCalls) {
      this.fail('api_error', malformedMessage)
      return undefined
    }
    this.closeText()
    this.closeFinishedCall()
    const call: OpenCall = { block: this.nextBlock++, text: '', closed: false }
    this.calls.set(index, call)
    this.lastCall = call
    this.out += messagesEvent({ type: 'content_block_start', index: call.block, content_block: { type: 'tool_use', id, name, input: {} } })
    return call
  }

  /** Calls come one after another, but the format allows interleaving: a call is closed early only when its arguments are complete. */
  private closeFinishedCall(): void {
    const call = this.lastCall
    if (call !== undefined && !call.closed && call.text !== '' && parseArguments(call.text) !== undefined) this.closeCall(call)
  }

  private closeCall(call: OpenCall): void {
    call.closed = true
    this.out += messagesEvent({ type: 'content_block_stop', index: call.block })
  }

  private stop(): void {
    if (this.finish === undefined) return
    this.closeText()
    for (const call of this.calls.values()) if (!call.closed) this.closeCall(call)
    const reason = this.refused ? 'refusal' : stopReason(this.finish, this.calls.size > 0)
    this.out += messagesEvent({
      type: 'message_delta',
      delta: { stop_reason: reason, stop_sequence: null },
      usage: chatUsageToMessages(this.usage),
    })
    this.out += messagesEvent({ type: 'message_stop' })
    this.state = 'stopped'
  }

  private fail(type: string, message: string): void {
    this.state = 'failed'
    this.out += messagesEvent({ type: 'error', error: { type, message } })
  }
}
