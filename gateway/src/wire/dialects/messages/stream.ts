/**
 * The gate for messages streams: blocks pass as they come, in their own bytes; from the first tool call on, everything
 * waits for a decision. No fragment of an undecided call ever reaches the client.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import { asText, isObject, type JsonObject } from '../../../core/json.ts'
import { roundSeparator } from '../chat-completions/answer.ts'
import { malformed } from '../../request/fields.ts'
import { GateOutput } from '../../gate/gate-output.ts'
import { type HeldEvent, HeldEvents } from '../../gate/held-events.ts'
import { MessagesRound, textOfRound } from './round.ts'
import { SseFramer, asBuffer, type SseEvent } from '../../framing/sse.ts'
import { errorReason, isLineEnd, readPayload, wholeEvent } from '../../gate/stream-events.ts'
import type { GateOptions, GateRound, GateSink, StreamGate } from '../../gate/stream-gate.ts'
import { TextEvents } from '../../gate/text-events.ts'
import { addMessagesUsage } from './usage.ts'

export class MessagesStreamGate implements StreamGate {
  readonly #output: GateOutput
  readonly #framer: SseFramer
  readonly #texts: TextEvents
  readonly #held: HeldEvents
  readonly #maskError: (raw: Buffer) => Buffer
  readonly #holdsEnd: () => boolean
  #round = new MessagesRound()
  #isContinued = false
  #isStarted = false
  /** Index of the first block of this round that is held. */
  #heldFrom = Infinity
  /** Where this round's blocks begin in the client's message. */
  #base = 0
  /** One more than the highest block index the client has seen. */
  #nextIndex = 0
  readonly #earlierBlocks: JsonObject[] = []
  readonly #earlierUsage: UsageRecord[] = []
  #stop: HeldEvent | undefined
  /** The last block of text, when its end is held. */
  #openText: number | undefined
  /** Blocks of our own at the end of the message. */
  readonly #added: JsonObject[] = []

  constructor(sink: GateSink, options: GateOptions) {
    this.#output = new GateOutput(sink)
    this.#framer = new SseFramer(options.maxEventBytes)
    this.#texts = new TextEvents(options.maxEventBytes)
    this.#held = new HeldEvents(options.maxEventBytes)
    this.#maskError = options.maskError ?? ((raw) => raw)
    this.#holdsEnd = options.holdsEnd ?? (() => false)
  }

  get failed(): boolean {
    return this.#round.error !== undefined
  }

  get holding(): boolean {
    return !this.#held.isEmpty
  }

  get deliveredText(): string {
    return textOfRound([...this.#earlierBlocks, ...this.#round.blocks(), ...this.#added])
  }

  push(chunk: Uint8Array): void {
    try {
      const bytes = asBuffer(chunk)
      const taken = this.#framer.isBetweenEvents && !this.holding ? this.#texts.take(bytes) : 0
      if (taken > 0) this.#output.raw(bytes.subarray(0, taken))
      if (taken < bytes.length) this.#framer.push(bytes.subarray(taken), this.#onEvent)
    } finally {
      this.#output.flush()
    }
  }

  endRound(): GateRound {
    const round = this.#round
    this.#framer.end(this.#onEvent)
    this.#flushStop()
    this.#output.flush()
    const isComplete = round.isComplete()
    // Calls of a stream that was cut off are nobody's to decide, and may lack anything.
    const calls = isComplete ? round.calls() : []
    return {
      calls: calls.map((call) => call.view),
      native: new Map(calls.map((call) => [call.view.id, call.native])),
      assistant: round.assistantMessage(),
      text: textOfRound(round.blocks()),
      finish: round.finish(),
      usage: round.usage,
      responseId: round.id,
      model: round.model,
      complete: isComplete,
      upstreamError: round.error,
    }
  }

  release(allowed: ReadonlySet<string>): void {
    const calls = this.#round.calls()
    const dropped = calls.filter((call) => !allowed.has(call.view.id)).map((call) => call.index)
    const hasNoCall = calls.length > 0 && dropped.length === calls.length
    for (const held of this.#held.take()) {
      const index = held.payload?.index
      if (typeof index === 'number' && isBlockEvent(held.payload)) {
        if (!dropped.includes(index)) this.#writeBlock(held, index, dropped.filter((one) => one < index).length)
      } else if (hasNoCall && held.payload?.type === 'message_delta') {
        this.#write(held.raw, withNormalStop(held.payload), true)
      } else {
        this.#write(held.raw, held.payload, held.isEdited)
      }
    }
    this.#output.flush()
  }

  addText(text: string): void {
    const index = this.#openText
    // Into the last block of text, when its end is held with the rest: some clients show the last block only.
    if (index === undefined) this.#added.push(this.#writeText(text))
    else {
      const added = roundSeparator + text
      this.#round.addText(index, added)
      this.#event({ type: 'content_block_delta', index: index + this.#base, delta: { type: 'text_delta', text: added } })
    }
    this.#output.flush()
  }

  startContinuation(): JsonObject {
    const message = this.#round.assistantMessage()
    this.#closeRound()
    this.#isContinued = true
    return message
  }

  finishWithText(explanation: string): void {
    const { id, model } = this.#round
    const open = this.#round.openBlocks().filter((index) => index < this.#heldFrom)
    for (const index of open) this.#event({ type: 'content_block_stop', index: index + this.#base })
    this.#closeRound()
    if (!this.#isStarted) {
      const usage = { input_tokens: 0, output_tokens: 0 }
      const message = {
        id: id === '' ? 'msg_turnward' : id,
        type: 'message',
        role: 'assistant',
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage,
      }
      this.#event({ type: 'message_start', message })
      this.#isStarted = true
    }
    if (explanation !== '') this.#earlierBlocks.push(this.#writeText(explanation))
    const usage = addMessagesUsage({ output_tokens: 0 }, this.#earlierUsage)
    this.#event({ type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage })
    this.#event({ type: 'message_stop' })
    this.#output.flush()
  }

  #writeText(text: string): JsonObject {
    const index = this.#nextIndex++
    this.#event({ type: 'content_block_start', index, content_block: { type: 'text', text: '' } })
    this.#event({ type: 'content_block_delta', index, delta: { type: 'text_delta', text } })
    this.#event({ type: 'content_block_stop', index })
    return { type: 'text', text }
  }

  #onEvent = (event: SseEvent): void => {
    const data = event.data?.trim()
    if (event.isForeign) {
      if (event.isTerminated) throw malformed('it is not an event stream')
    } else if (data === undefined || data === '') {
      // A torn rest without data says nothing, and would swallow whatever is written after it.
      if (event.isTerminated || isLineEnd(event.raw)) this.#output.raw(event.raw)
    } else if (data === '[DONE]') {
      // Not of this dialect, but some upstreams end every stream with it.
      this.#pass(wholeEvent(event), undefined, false)
    } else {
      const payload = readPayload(event, data)
      if (payload !== undefined)
        this.#onPayload(payload, typeof payload.type === 'string' ? payload.type : (event.event ?? ''), wholeEvent(event))
    }
  }

  #onPayload(payload: JsonObject, type: string, raw: Buffer): void {
    switch (type) {
      case 'ping':
        this.#output.raw(raw)
        return
      case 'error':
        this.#round.error = errorReason(payload.error)
        this.#output.raw(this.#maskError(raw))
        return
      case 'message_start':
        this.#round.start(isObject(payload.message) ? payload.message : {})
        if (this.#isContinued) return
        this.#isStarted = true
        break
      case 'content_block_start': {
        this.#flushStop()
        const index = blockIndex(payload)
        const isCall = this.#round.startBlock(index, isObject(payload.content_block) ? payload.content_block : {})
        if (isCall && !this.holding) this.#heldFrom = index
        if (isCall || this.holding) this.#held.add({ raw, payload, isEdited: false })
        else this.#writeBlock({ raw, payload, isEdited: false }, index, 0)
        return
      }
      case 'content_block_delta':
        this.#round.addDelta(blockIndex(payload), isObject(payload.delta) ? payload.delta : {})
        if (!this.holding && this.#base === 0) this.#learn(raw, payload)
        break
      case 'content_block_stop':
        this.#round.stopBlock(blockIndex(payload))
        if (this.holding || !this.#round.isText(blockIndex(payload)) || !this.#holdsEnd()) break
        this.#stop = { raw, payload, isEdited: false }
        return
      case 'message_delta':
        this.#round.addMessageDelta(payload)
        this.#passEnd(raw, payload)
        return
      case 'message_stop':
        this.#round.isStopped = true
        break
      default:
        // An event newer than this code passes as it is.
        break
    }
    this.#pass(raw, payload, false)
  }

  #passEnd(raw: Buffer, payload: JsonObject): void {
    const end = this.#isContinued ? { ...payload, usage: addMessagesUsage(this.#round.nativeUsage, this.#earlierUsage) } : payload
    if (this.holding || !this.#holdsEnd()) {
      this.#flushStop()
      this.#pass(raw, end, this.#isContinued)
      return
    }
    if (this.#stop !== undefined) {
      this.#openText = blockIndex(this.#stop.payload ?? {})
      this.#held.add(this.#stop)
      this.#stop = undefined
    }
    this.#held.add({ raw, payload: end, isEdited: this.#isContinued })
  }

  /** The end of a block of text that may be the last one; it goes on when something other than the end of the message follows. */
  #flushStop(): void {
    const stop = this.#stop
    this.#stop = undefined
    if (stop !== undefined) this.#writeBlock(stop, blockIndex(stop.payload ?? {}), 0)
  }

  /** The next delta may bring other words to the same block, and nothing more. */
  #learn(raw: Buffer, payload: JsonObject): void {
    const { delta } = payload
    if (!isObject(delta) || delta.type !== 'text_delta') return
    const index = blockIndex(payload)
    this.#texts.learn(raw, payload, asText(delta.text), putWords, (text) => this.#round.addDelta(index, { type: 'text_delta', text }))
  }

  #pass(raw: Buffer, payload: JsonObject | undefined, isEdited: boolean): void {
    if (this.holding) this.#held.add({ raw, payload, isEdited })
    else if (payload !== undefined && isBlockEvent(payload)) this.#writeBlock({ raw, payload, isEdited }, blockIndex(payload), 0)
    else this.#write(raw, payload, isEdited)
  }

  /** Writes an event of a block under the number the block has in the client's message. */
  #writeBlock(held: HeldEvent, index: number, droppedBefore: number): void {
    const shown = index - droppedBefore + this.#base
    this.#nextIndex = Math.max(this.#nextIndex, shown + 1)
    if (shown === index) this.#write(held.raw, held.payload, held.isEdited)
    else this.#write(held.raw, { ...held.payload, index: shown }, true)
  }

  #write(raw: Buffer, payload: JsonObject | undefined, isEdited: boolean): void {
    if (isEdited && payload !== undefined) this.#event(payload)
    else this.#output.raw(raw)
  }

  #event(payload: JsonObject): void {
    this.#output.text(`event: ${asText(payload.type)}\ndata: ${JSON.stringify(payload)}\n\n`)
  }

  /** What was shown of this round becomes part of the message; what is held is discarded. */
  #closeRound(): void {
    this.#held.take()
    this.#texts.forget()
    this.#earlierBlocks.push(...this.#round.blocks(this.#heldFrom))
    if (this.#round.usage !== undefined) this.#earlierUsage.push(this.#round.usage)
    this.#base = this.#nextIndex
    this.#heldFrom = Infinity
    this.#openText = undefined
    this.#round = new MessagesRound()
  }
}

function putWords(payload: JsonObject, words: string): void {
  if (isObject(payload.delta)) payload.delta.text = words
}

function isBlockEvent(payload: JsonObject | undefined): boolean {
  return asText(payload?.type).startsWith('content_block_')
}

function blockIndex(payload: JsonObject): number {
  const { index } = payload
  if (typeof index !== 'number' || !Number.isInteger(index) || index < 0) throw malformed('a block of its stream has no index')
  return index
}

function withNormalStop(payload: JsonObject): JsonObject {
  const delta = isObject(payload.delta) ? payload.delta : {}
  return delta.stop_reason === 'tool_use' ? { ...payload, delta: { ...delta, stop_reason: 'end_turn' } } : payload
}
