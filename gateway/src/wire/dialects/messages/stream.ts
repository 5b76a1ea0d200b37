/** What the events of a messages stream are to the gate: blocks that pass as they come, calls and ends that may have to wait. */
import type { UsageRecord } from '@turnward/contract/decision'
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { WrittenArguments } from '../../dialect.ts'
import type { GateRound, GateWays, StreamEvent, StreamLens } from '../../gate/stream-lens.ts'
import { malformed } from '../../request/fields.ts'
import { settleInput } from '../call-inputs.ts'
import { withType } from '../event-types.ts'
import { roundSeparator } from '../round-text.ts'
import { blockIndex, gateRoundOf, WrittenInputs } from '../stream-blocks.ts'
import { blockOf, deltaOf } from './events.ts'
import { messagesErrorIn } from './errors.ts'
import { MessagesRound, textOfRound } from './round.ts'
import { addMessagesUsage } from './usage.ts'

export class MessagesStreamLens implements StreamLens {
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
  /** The end of a block of text that may be the last one. */
  #stop: StreamEvent | undefined
  /** The last block of text, when its end is held. */
  #openText: number | undefined
  /** Blocks of our own at the end of the message. */
  readonly #added: JsonObject[] = []
  /** Indexes of calls that are dropped when the round is released, and whether none is left. */
  #dropped: readonly number[] = []
  #hasNoCall = false
  /** What calls are released with instead of what the model wrote. */
  #written = new WrittenInputs(new Map(), [])

  get deliveredText(): string {
    return textOfRound([...this.#earlierBlocks, ...this.#round.blocks(), ...this.#added])
  }

  get vendorRan(): boolean {
    return this.#round.vendorRan
  }

  errorIn(payload: JsonObject, type: string): JsonValue | undefined {
    return messagesErrorIn(payload, type)
  }

  read(event: StreamEvent, type: string, ways: GateWays): void {
    const { payload } = event
    if (payload === undefined) this.#send(event, ways)
    else this.#read(withType(event, payload, type), payload, ways)
  }

  #read(event: StreamEvent, payload: JsonObject, ways: GateWays): void {
    switch (payload.type) {
      case 'ping':
        ways.pass(event)
        return
      case 'message_start':
        this.#round.start(isObject(payload.message) ? payload.message : {})
        if (this.#isContinued) return
        this.#isStarted = true
        break
      case 'content_block_start': {
        this.#flushStop(ways)
        const index = blockIndex(payload.index)
        const block = blockOf(payload)
        const isSettled = block.type === 'tool_use' && settleInput(block, 'input')
        const isCall = this.#round.startBlock(index, block)
        if (isCall && !ways.isHolding) this.#heldFrom = index
        const told = isSettled ? { ...event, isEdited: true } : event
        if (isCall || ways.isHolding) ways.hold(told)
        else ways.pass(this.#shown(event, index, 0))
        return
      }
      case 'content_block_delta':
        this.#round.addDelta(blockIndex(payload.index), deltaOf(payload))
        if (!ways.isHolding && this.#base === 0) this.#learn(event, payload, ways)
        break
      case 'content_block_stop':
        this.#round.stopBlock(blockIndex(payload.index))
        if (ways.isHolding || !this.#round.isText(blockIndex(payload.index)) || !ways.holdsEnd()) break
        this.#stop = event
        return
      case 'message_delta':
        this.#round.addMessageDelta(payload)
        this.#sendEnd(event, payload, ways)
        return
      case 'message_stop':
        this.#round.isStopped = true
        break
      default:
        // An event newer than this code passes as it is; some clients run a call wherever it comes.
        if (isObject(payload.content_block) && payload.content_block.type === 'tool_use')
          throw malformed('a tool call of its stream comes in an event that is not known')
        break
    }
    this.#send(event, ways)
  }

  readEnd(_isProper: boolean, ways: GateWays): void {
    this.#flushStop(ways)
  }

  told(): number | undefined {
    return this.#round.told()
  }

  round(): GateRound {
    const round = this.#round
    return gateRoundOf(round, { responseId: round.id, model: round.model, vendorRan: round.vendorRan })
  }

  write(payload: JsonObject): string {
    return `event: ${asText(payload.type)}\ndata: ${JSON.stringify(payload)}\n\n`
  }

  beginRelease(allowed: ReadonlySet<string>, args: WrittenArguments): void {
    const calls = this.#round.calls()
    this.#written = new WrittenInputs(args, calls)
    this.#dropped = calls.filter((call) => !allowed.has(call.view.id)).map((call) => call.index)
    this.#hasNoCall = calls.length > 0 && this.#dropped.length === calls.length
  }

  release(event: StreamEvent): StreamEvent | undefined {
    const { payload } = event
    const index = payload?.index
    // Also an event newer than this code, when it is of a block.
    if (typeof index === 'number') {
      const told = this.#dropped.includes(index) ? undefined : this.#writtenEvent(event, index)
      return told === undefined ? undefined : this.#shown(told, index, this.#dropped.filter((one) => one < index).length)
    }
    if (!this.#hasNoCall || payload?.type !== 'message_delta') return event
    return { ...event, payload: withNormalStop(payload), isEdited: true }
  }

  /** An event of a call that is released with other arguments: its first fragment has all of them, the others are left out. */
  #writtenEvent(event: StreamEvent, index: number): StreamEvent | undefined {
    const args = this.#written.of(index)
    if (args === undefined) return event
    const payload = event.payload ?? {}
    if (isObject(payload.content_block)) {
      // Some vendors tell of the whole call where it begins.
      const input = this.#round.hasFragments(index) ? {} : args
      return { ...event, payload: { ...payload, content_block: { ...payload.content_block, input } }, isEdited: true }
    }
    if (!isObject(payload.delta)) return event
    const partial_json = this.#written.take(index)
    if (partial_json === undefined) return undefined
    return { ...event, payload: { ...payload, delta: { ...payload.delta, partial_json } }, isEdited: true }
  }

  addText(text: string): string {
    const index = this.#openText
    // Into the last block of text, when its end is held with the rest: some clients show the last block only.
    if (index === undefined) {
      const block = { type: 'text', text }
      this.#added.push(block)
      return this.#writeText(text)
    }
    const added = roundSeparator + text
    this.#round.addText(index, added)
    return this.write({ type: 'content_block_delta', index: index + this.#base, delta: { type: 'text_delta', text: added } })
  }

  nextRound(): JsonObject {
    const message = this.#round.assistantMessage()
    this.#closeRound()
    this.#isContinued = true
    return message
  }

  dropRound(): void {
    this.#round = new MessagesRound()
    this.#stop = undefined
    this.#heldFrom = Infinity
    this.#openText = undefined
    if (!this.#isContinued) this.#isStarted = false
  }

  close(explanation: string, used?: UsageRecord): string {
    const { id, model } = this.#round
    const open = this.#round.openBlocks().filter((index) => index < this.#heldFrom)
    let events = open.map((index) => this.write({ type: 'content_block_stop', index: index + this.#base })).join('')
    this.#closeRound(used)
    if (!this.#isStarted) events += this.write({ type: 'message_start', message: emptyMessage(id, model) })
    this.#isStarted = true
    if (explanation !== '') {
      this.#earlierBlocks.push({ type: 'text', text: explanation })
      events += this.#writeText(explanation)
    }
    const usage = addMessagesUsage({ output_tokens: 0 }, this.#earlierUsage)
    events += this.write({
      type: 'message_delta',
      delta: { stop_reason: used === undefined ? 'end_turn' : 'max_tokens', stop_sequence: null },
      usage,
    })
    return events + this.write({ type: 'message_stop' })
  }

  #writeText(text: string): string {
    const index = this.#nextIndex++
    return (
      this.write({ type: 'content_block_start', index, content_block: { type: 'text', text: '' } }) +
      this.write({ type: 'content_block_delta', index, delta: { type: 'text_delta', text } }) +
      this.write({ type: 'content_block_stop', index })
    )
  }

  #sendEnd(event: StreamEvent, payload: JsonObject, ways: GateWays): void {
    const end = this.#isContinued
      ? { ...event, payload: { ...payload, usage: addMessagesUsage(this.#round.nativeUsage, this.#earlierUsage) }, isEdited: true }
      : event
    if (ways.isHolding || !ways.holdsEnd()) {
      this.#flushStop(ways)
      this.#send(end, ways)
      return
    }
    if (this.#stop !== undefined) {
      this.#openText = blockIndex(this.#stop.payload?.index)
      ways.hold(this.#stop)
      this.#stop = undefined
    }
    ways.hold(end)
  }

  /** The end of a block of text goes on when something other than the end of the message follows. */
  #flushStop(ways: GateWays): void {
    const stop = this.#stop
    this.#stop = undefined
    if (stop !== undefined) ways.pass(this.#shown(stop, blockIndex(stop.payload?.index), 0))
  }

  /** The next delta may bring other words to the same block, and nothing more. */
  #learn(event: StreamEvent, payload: JsonObject, ways: GateWays): void {
    const { delta } = payload
    if (!isObject(delta) || delta.type !== 'text_delta') return
    const index = blockIndex(payload.index)
    ways.learn(event, asText(delta.text), putWords, (text) => this.#round.addDelta(index, { type: 'text_delta', text }))
  }

  #send(event: StreamEvent, ways: GateWays): void {
    const { payload } = event
    if (ways.isHolding) ways.hold(event)
    else if (payload !== undefined && isBlockEvent(payload)) ways.pass(this.#shown(event, blockIndex(payload.index), 0))
    else ways.pass(event)
  }

  /** An event of a block, under the number the block has in the client's message. */
  #shown(event: StreamEvent, index: number, droppedBefore: number): StreamEvent {
    const shown = index - droppedBefore + this.#base
    this.#nextIndex = Math.max(this.#nextIndex, shown + 1)
    return shown === index ? event : { raw: event.raw, payload: { ...event.payload, index: shown }, isEdited: true }
  }

  /** What was shown of this round becomes part of the message. */
  #closeRound(used = this.#round.usage): void {
    this.#earlierBlocks.push(...this.#round.blocks(this.#heldFrom))
    if (used !== undefined) this.#earlierUsage.push(used)
    this.#base = this.#nextIndex
    this.#heldFrom = Infinity
    this.#openText = undefined
    this.#round = new MessagesRound()
  }
}

function emptyMessage(id: string, model: string): JsonObject {
  const usage = { input_tokens: 0, output_tokens: 0 }
  const empty = { model, content: [], stop_reason: null, stop_sequence: null, usage }
  return { id: id === '' ? 'msg_turnward' : id, type: 'message', role: 'assistant', ...empty }
}

function putWords(payload: JsonObject, words: string): void {
  if (isObject(payload.delta)) payload.delta.text = words
}

function isBlockEvent(payload: JsonObject | undefined): boolean {
  return asText(payload?.type).startsWith('content_block_')
}

function withNormalStop(payload: JsonObject): JsonObject {
  const delta = isObject(payload.delta) ? payload.delta : {}
  return delta.stop_reason === 'tool_use' ? { ...payload, delta: { ...delta, stop_reason: 'end_turn' } } : payload
}
