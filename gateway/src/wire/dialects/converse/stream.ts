/** What the events of a Converse stream are to the gate: blocks that pass as they come, calls and ends that may have to wait. */
import type { UsageRecord } from '@turnward/contract/decision'
import { isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { WrittenArguments } from '../../dialect.ts'
import type { GateRound, GateWays, StreamEvent, StreamLens } from '../../gate/stream-lens.ts'
import { malformed } from '../../request/fields.ts'
import { callOf } from './answer.ts'
import { roundSeparator } from '../round-text.ts'
import { blockIndex, gateRoundOf, WrittenInputs } from '../stream-blocks.ts'
import { converseErrorIn } from './errors.ts'
import { ConverseRound, deltaOf, textOfRound } from './round.ts'
import { addConverseUsage, writeConverseUsage } from './usage.ts'

export class ConverseStreamLens implements StreamLens {
  #round = new ConverseRound()
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

  errorIn(payload: JsonObject, type: string): JsonValue | undefined {
    return converseErrorIn(payload, type)
  }

  read(event: StreamEvent, type: string, ways: GateWays): void {
    const { payload } = event
    if (payload === undefined) {
      this.#send(event, ways)
      return
    }
    switch (type) {
      case 'messageStart':
        if (this.#isContinued) return
        this.#isStarted = true
        break
      case 'contentBlockStart': {
        this.#flushStop(ways)
        const index = blockIndex(payload.contentBlockIndex)
        const isCall = this.#round.startBlock(index, isObject(payload.start) ? payload.start : {})
        if (isCall && !ways.isHolding) this.#heldFrom = index
        if (isCall || ways.isHolding) ways.hold(event)
        else ways.pass(this.#shown(event, index, 0))
        return
      }
      case 'contentBlockDelta': {
        const index = blockIndex(payload.contentBlockIndex)
        // A block may begin with its first words.
        if (this.#stop?.payload?.contentBlockIndex !== index) this.#flushStop(ways)
        this.#round.addDelta(index, deltaOf(payload))
        if (!ways.isHolding && this.#base === 0) this.#learn(event, payload, ways)
        break
      }
      case 'contentBlockStop':
        this.#round.stopBlock(blockIndex(payload.contentBlockIndex))
        if (ways.isHolding || !this.#round.isText(blockIndex(payload.contentBlockIndex)) || !ways.holdsEnd()) break
        this.#flushStop(ways)
        this.#stop = event
        return
      case 'messageStop':
        this.#round.stop(payload)
        this.#sendEnd(event, ways)
        return
      case 'metadata':
        this.#round.addMetadata(payload)
        if (!this.#isContinued) break
        this.#send({ ...event, payload: { ...payload, usage: addConverseUsage(payload.usage, this.#earlierUsage) }, isEdited: true }, ways)
        return
      default:
        // An event newer than this code passes as it is; some clients run a call wherever it comes.
        if (callOf(isObject(payload.start) ? payload.start : undefined) !== undefined)
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
    return gateRoundOf(this.#round, { responseId: '', model: '' })
  }

  write(payload: JsonObject): string {
    return `event: ${typeOf(payload)}\ndata: ${JSON.stringify(payload)}\n\n`
  }

  beginRelease(allowed: ReadonlySet<string>, args: WrittenArguments): void {
    const calls = this.#round.calls()
    this.#written = new WrittenInputs(args, calls)
    this.#dropped = calls.filter((call) => !allowed.has(call.view.id)).map((call) => call.index)
    this.#hasNoCall = calls.length > 0 && this.#dropped.length === calls.length
  }

  release(event: StreamEvent): StreamEvent | undefined {
    const { payload } = event
    const index = payload?.contentBlockIndex
    if (typeof index === 'number') {
      const told = this.#dropped.includes(index) ? undefined : this.#writtenEvent(event, index)
      return told === undefined ? undefined : this.#shown(told, index, this.#dropped.filter((one) => one < index).length)
    }
    if (!this.#hasNoCall || payload?.stopReason !== 'tool_use') return event
    return { ...event, payload: { ...payload, stopReason: 'end_turn' }, isEdited: true }
  }

  /** An event of a call that is released with other arguments: its first fragment has all of them, the others are left out. */
  #writtenEvent(event: StreamEvent, index: number): StreamEvent | undefined {
    const { payload } = event
    if (this.#written.of(index) === undefined || !isObject(payload?.delta) || !isObject(payload.delta.toolUse)) return event
    const input = this.#written.take(index)
    if (input === undefined) return undefined
    return { ...event, payload: { ...payload, delta: { toolUse: { ...payload.delta.toolUse, input } } }, isEdited: true }
  }

  addText(text: string): string {
    const index = this.#openText
    // Into the last block of text, when its end is held with the rest: some clients show the last block only.
    if (index === undefined) {
      this.#added.push({ text })
      return this.#writeText(text)
    }
    const added = roundSeparator + text
    this.#round.addText(index, added)
    return this.write({ contentBlockIndex: index + this.#base, delta: { text: added } })
  }

  nextRound(): JsonObject {
    const message = this.#round.assistantMessage()
    this.#closeRound()
    this.#isContinued = true
    return message
  }

  dropRound(): void {
    this.#round = new ConverseRound()
    this.#stop = undefined
    this.#heldFrom = Infinity
    this.#openText = undefined
    if (!this.#isContinued) this.#isStarted = false
  }

  close(explanation: string, used?: UsageRecord): string {
    const open = this.#round.openBlocks().filter((index) => index < this.#heldFrom)
    let events = open.map((index) => this.write({ contentBlockIndex: index + this.#base })).join('')
    this.#closeRound(used)
    if (!this.#isStarted) events += this.write({ role: 'assistant' })
    this.#isStarted = true
    if (explanation !== '') {
      this.#earlierBlocks.push({ text: explanation })
      events += this.#writeText(explanation)
    }
    const usage = addConverseUsage(writeConverseUsage(undefined), this.#earlierUsage)
    return (
      events + this.write({ stopReason: used === undefined ? 'end_turn' : 'max_tokens' }) + this.write({ usage, metrics: { latencyMs: 0 } })
    )
  }

  #writeText(text: string): string {
    const contentBlockIndex = this.#nextIndex++
    return this.write({ contentBlockIndex, delta: { text } }) + this.write({ contentBlockIndex })
  }

  #sendEnd(event: StreamEvent, ways: GateWays): void {
    if (ways.isHolding || !ways.holdsEnd()) {
      this.#flushStop(ways)
      this.#send(event, ways)
      return
    }
    if (this.#stop !== undefined) {
      this.#openText = blockIndex(this.#stop.payload?.contentBlockIndex)
      ways.hold(this.#stop)
      this.#stop = undefined
    }
    ways.hold(event)
  }

  /** The end of a block of text goes on when something other than the end of the message follows. */
  #flushStop(ways: GateWays): void {
    const stop = this.#stop
    this.#stop = undefined
    if (stop !== undefined) ways.pass(this.#shown(stop, blockIndex(stop.payload?.contentBlockIndex), 0))
  }

  /** The next delta may bring other words to the same block, and nothing more. */
  #learn(event: StreamEvent, payload: JsonObject, ways: GateWays): void {
    const { delta } = payload
    if (!isObject(delta) || typeof delta.text !== 'string' || this.#stop !== undefined) return
    const index = blockIndex(payload.contentBlockIndex)
    ways.learn(event, delta.text, putWords, (text) => this.#round.addDelta(index, { text }))
  }

  #send(event: StreamEvent, ways: GateWays): void {
    const { payload } = event
    if (ways.isHolding) ways.hold(event)
    else if (typeof payload?.contentBlockIndex === 'number') ways.pass(this.#shown(event, payload.contentBlockIndex, 0))
    else ways.pass(event)
  }

  /** An event of a block, under the number the block has in the client's message. */
  #shown(event: StreamEvent, index: number, droppedBefore: number): StreamEvent {
    const shown = index - droppedBefore + this.#base
    this.#nextIndex = Math.max(this.#nextIndex, shown + 1)
    return shown === index ? event : { raw: event.raw, payload: { ...event.payload, contentBlockIndex: shown }, isEdited: true }
  }

  /** What was shown of this round becomes part of the message. */
  #closeRound(used = this.#round.usage): void {
    this.#earlierBlocks.push(...this.#round.blocks(this.#heldFrom))
    if (used !== undefined) this.#earlierUsage.push(used)
    this.#base = this.#nextIndex
    this.#heldFrom = Infinity
    this.#openText = undefined
    this.#round = new ConverseRound()
  }
}

/** The payload of an event says which one it is by its members. */
export function typeOf(payload: JsonObject): string {
  if (payload.contentBlockIndex !== undefined) {
    if (payload.delta !== undefined) return 'contentBlockDelta'
    return payload.start === undefined ? 'contentBlockStop' : 'contentBlockStart'
  }
  if (payload.role !== undefined) return 'messageStart'
  return payload.stopReason === undefined ? 'metadata' : 'messageStop'
}

function putWords(payload: JsonObject, words: string): void {
  if (isObject(payload.delta)) payload.delta.text = words
}
