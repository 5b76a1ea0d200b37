/** What the events of a responses stream are to the gate: items that pass as they come, calls and ends that may have to wait. */
import type { UsageRecord } from '@turnward/contract/decision'
import { randomText } from '../../../core/ids.ts'
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { WrittenArguments } from '../../dialect.ts'
import type { GateRound, GateWays, StreamEvent, StreamLens } from '../../gate/stream-lens.ts'
import { malformed } from '../../request/fields.ts'
import { textItem, textOfItems } from './answer.ts'
import { WrittenItems, writtenItem } from './arguments.ts'
import { roundSeparator } from '../round-text.ts'
import { withType } from '../event-types.ts'
import { settleEvent } from './call-texts.ts'
import { responsesErrorIn } from './errors.ts'
import { itemIndex, itemOf } from './item-index.ts'
import { answeredItems } from './items.ts'
import { endsOfItem, messageEvents } from './message-events.ts'
import { responseOf, ResponsesRound } from './round.ts'
import { addResponsesUsage } from './usage.ts'

const ends: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete'])
/** How a message ends: its text, the part that has it, the message. */
const endsOfMessage: ReadonlySet<string> = new Set(['response.output_text.done', 'response.content_part.done', 'response.output_item.done'])
const beginnings: ReadonlySet<string> = new Set(['response.created', 'response.in_progress', 'response.queued'])

export class ResponsesStreamLens implements StreamLens {
  #round = new ResponsesRound()
  #isContinued = false
  #isStarted = false
  /** The id the client knows its response by. */
  #id = ''
  /** Number of the next event the client sees. */
  #sequence = 0
  /** Index of the first item of this round that is held. */
  #heldFrom = Infinity
  /** Where this round's items begin in the client's response. */
  #base = 0
  /** One more than the highest index the client has seen. */
  #nextIndex = 0
  readonly #earlierItems: JsonObject[] = []
  readonly #earlierUsage: UsageRecord[] = []
  /** Items of our own at the end of the response. */
  readonly #added: JsonObject[] = []
  /** The end of a message that may be the last one, while a line may be added to it. */
  #tail: StreamEvent[] = []
  /** Index of the last message, when its end is held. */
  #openText: number | undefined
  /** What was added to it. */
  #extension = ''
  /** Indexes of calls that are dropped when the round is released. */
  #dropped: readonly number[] = []
  /** What calls are released with instead of what the model wrote. */
  #written = new WrittenItems(new Map(), [])
  /** The client's response, where it was closed without its calls. */
  #closed: JsonObject | undefined

  get deliveredText(): string {
    return textOfItems([...this.#earlierItems, ...this.#round.items(), ...this.#added])
  }

  get vendorRan(): boolean {
    return this.#round.vendorRan
  }

  errorIn(payload: JsonObject, type: string): JsonValue | undefined {
    return responsesErrorIn(payload, type)
  }

  read(event: StreamEvent, type: string, ways: GateWays): void {
    const { payload } = event
    if (payload === undefined) {
      // The word that ends streams of other dialects.
      if (ways.isHolding) ways.hold(event)
      else ways.pass(event)
      return
    }
    const typed = withType(event, payload, type)
    const said = asText(payload.type)
    const isSettled = settleEvent(payload, said)
    this.#readSaid(isSettled ? { ...typed, isEdited: true } : typed, payload, said, ways)
  }

  #readSaid(event: StreamEvent, payload: JsonObject, said: string, ways: GateWays): void {
    if (ends.has(said)) return this.#readEnd(event, payload, ways)
    const index = itemIndex(payload, said)
    const isTail = index !== undefined && this.#isTail(said, index, ways)
    if (!isTail) this.#passTail(ways)
    if (beginnings.has(said)) return this.#begin(event, payload, ways)
    if (index !== undefined) this.#readItem(said, index, payload, ways)
    if (isTail) this.#tail.push(event)
    else if (ways.isHolding || index === this.#heldFrom) ways.hold(event)
    else ways.pass(this.#shown(event, index, 0))
  }

  readEnd(_isProper: boolean, ways: GateWays): void {
    // Without its last event there is no end.
    this.#passTail(ways)
  }

  told(): number | undefined {
    return this.#round.told()
  }

  round(): GateRound {
    const round = this.#round
    const isComplete = round.isComplete()
    // Calls of a stream that was cut off are nobody's to decide, and may lack anything.
    const cut = isComplete ? round.cutCalls() : []
    const calls = (isComplete ? round.calls() : []).filter(({ index }) => !cut.includes(index))
    return {
      calls: calls.map(({ view }) => view),
      native: new Map(calls.map(({ view, native }) => [view.id, native])),
      assistant: () => round.assistantMessage(),
      cutCalls: cut.length,
      finish: round.finishReason(),
      usage: round.usage,
      responseId: round.id,
      model: round.model,
      vendorRan: round.vendorRan,
      complete: isComplete,
    }
  }

  write(payload: JsonObject): string {
    return `event: ${asText(payload.type)}\ndata: ${JSON.stringify(payload)}\n\n`
  }

  beginRelease(allowed: ReadonlySet<string>, args: WrittenArguments): void {
    this.#dropped = this.#without(allowed)
    this.#written = new WrittenItems(args, this.#round.calls())
  }

  #without(allowed: ReadonlySet<string>): readonly number[] {
    const refused = this.#round.calls().filter(({ view }) => !allowed.has(view.id))
    return [...new Set([...refused.map(({ index }) => index), ...this.#round.cutCalls()])]
  }

  released(allowed: ReadonlySet<string>, args: WrittenArguments): JsonObject {
    return this.#closed ?? this.#whole(this.#round.response ?? {}, this.#without(allowed), args)
  }

  release(event: StreamEvent): StreamEvent | undefined {
    const { payload } = event
    if (payload === undefined) return event
    if (ends.has(asText(payload.type))) return this.#ended(event, payload)
    const index = itemIndex(payload)
    if (index === undefined) return this.#shown(event, undefined, 0)
    if (this.#dropped.includes(index)) return undefined
    if (index === this.#openText && this.#extension !== '')
      return this.#shown({ raw: event.raw, payload: this.#extended(payload, index), isEdited: true }, index, 0)
    const told = this.#written.event(payload, index)
    if (told === undefined) return undefined
    const changed = told === payload ? event : { raw: event.raw, payload: told, isEdited: true }
    return this.#shown(changed, index, this.#dropped.filter((one) => one < index).length)
  }

  addText(text: string): string {
    const index = this.#openText
    // Into the last message, when its end is held with the rest: some clients take the last one for the whole answer.
    if (index !== undefined && this.#round.extend(index, roundSeparator + text)) {
      this.#extension = roundSeparator + text
      const native = this.#round.native(index) ?? {}
      const content_index = Array.isArray(native.content) ? native.content.length - 1 : 0
      const place = { item_id: asText(native.id), output_index: index + this.#base, content_index }
      return this.#number({ type: 'response.output_text.delta', ...place, delta: this.#extension, logprobs: [] })
    }
    const item = textItem(text)
    this.#added.push(item)
    return this.#writeText(item)
  }

  nextRound(): JsonObject {
    const message = this.#round.assistantMessage()
    this.#closeRound()
    this.#isContinued = true
    return message
  }

  dropRound(): void {
    this.#round = new ResponsesRound()
    this.#forgetTail()
    this.#heldFrom = Infinity
    if (!this.#isContinued) this.#isStarted = false
  }

  close(explanation: string, used?: UsageRecord): string {
    const last = this.#round.response ?? {}
    let events = used === undefined ? '' : this.#breakOff()
    this.#closeRound(used)
    const id = this.#id === '' ? `resp_${randomText(48)}` : this.#id
    if (!this.#isStarted) events += this.#number({ type: 'response.created', response: { ...last, id, status: 'in_progress', output: [] } })
    this.#isStarted = true
    if (explanation !== '') {
      const item = textItem(explanation)
      this.#earlierItems.push(item)
      events += this.#writeText(item)
    }
    const usage = addResponsesUsage(undefined, this.#earlierUsage)
    const [status, incomplete_details] = used === undefined ? ['completed', null] : ['incomplete', { reason: 'max_output_tokens' }]
    const response: JsonObject = { ...last, id, status, incomplete_details, output: [...this.#earlierItems], usage }
    this.#closed = response
    return events + this.#number({ type: `response.${status}`, response })
  }

  /** The ends of items that go no further; those that are held are not told of at all. */
  #breakOff(): string {
    const ends = this.#round.breakOff(this.#heldFrom).flatMap(({ index, item }) => endsOfItem(item, index + this.#base))
    return ends.map((event) => this.#number(event)).join('')
  }

  #begin(event: StreamEvent, payload: JsonObject, ways: GateWays): void {
    const response = responseOf(payload)
    if (answeredItems(response.output).length > 0) throw malformed('its stream carries items outside of events')
    this.#round.response ??= response
    if (this.#isContinued) return
    this.#isStarted = true
    this.#id = asText(response.id)
    if (ways.isHolding) ways.hold(event)
    else ways.pass(this.#shown(event, undefined, 0))
  }

  #readItem(type: string, index: number, payload: JsonObject, ways: GateWays): void {
    const round = this.#round
    const item = itemOf(payload, type)
    switch (type) {
      case 'response.output_item.added':
        if (round.add(index, item) && !ways.isHolding) this.#heldFrom = index
        return
      case 'response.output_item.done':
        // Some servers tell of an item only when it is whole.
        if (!round.has(index) && round.add(index, item) && !ways.isHolding) this.#heldFrom = index
        return round.finish(index, item)
      case 'response.output_text.delta':
        return round.addText(index, Number(payload.content_index ?? 0), 'output_text', payload.delta)
      case 'response.refusal.delta':
        return round.addText(index, Number(payload.content_index ?? 0), 'refusal', payload.delta)
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        return round.addArguments(index, payload.delta)
      case 'response.function_call_arguments.done':
        return round.checkArguments(index, payload.arguments)
      case 'response.custom_tool_call_input.done':
        return round.checkArguments(index, payload.input)
      default:
      // An event newer than this code goes the way of its item.
    }
  }

  /** Whether an event belongs to the end of a message that may be the last. */
  #isTail(type: string, index: number, ways: GateWays): boolean {
    return !ways.isHolding && endsOfMessage.has(type) && this.#round.isMessage(index) && ways.holdsEnd()
  }

  #passTail(ways: GateWays): void {
    const tail = this.#tail
    this.#tail = []
    for (const event of tail) ways.pass(this.#shown(event, event.payload === undefined ? undefined : itemIndex(event.payload), 0))
  }

  #forgetTail(): void {
    this.#tail = []
    this.#openText = undefined
    this.#extension = ''
  }

  /** An event of the end of the last message, which says what was added. */
  #extended(payload: JsonObject, index: number): JsonObject {
    if (payload.type === 'response.output_item.done') return { ...payload, item: this.#round.native(index) ?? {} }
    const { part, text } = payload
    if (isObject(part)) return { ...payload, part: { ...part, text: asText(part.text) + this.#extension } }
    return { ...payload, text: asText(text) + this.#extension }
  }

  #readEnd(event: StreamEvent, payload: JsonObject, ways: GateWays): void {
    this.#round.end(responseOf(payload))
    const tail = this.#tail
    if (tail.length > 0 && ways.holdsEnd()) {
      this.#openText = itemIndex(tail[0]?.payload ?? {})
      for (const held of tail) ways.hold(held)
      this.#tail = []
    } else this.#passTail(ways)
    // Some servers leave the beginning out.
    if (!this.#isContinued && this.#id === '') this.#id = this.#round.id
    if (ways.isHolding || ways.holdsEnd()) ways.hold(event)
    else ways.pass(this.#ended(event, payload))
  }

  /** The end of the client's response: it says exactly what was released. */
  #ended(event: StreamEvent, payload: JsonObject): StreamEvent {
    if (
      !this.#isContinued &&
      this.#dropped.length === 0 &&
      this.#added.length === 0 &&
      this.#extension === '' &&
      this.#written.args.size === 0
    )
      return this.#shown(event, undefined, 0)
    const response = this.#whole(responseOf(payload), this.#dropped, this.#written.args)
    return this.#shown({ raw: event.raw, payload: { ...payload, response }, isEdited: true }, undefined, 0)
  }

  /** The client's response, without the items with these indexes, and with these arguments of its calls. */
  #whole(last: JsonObject, dropped: readonly number[], args: WrittenArguments): JsonObject {
    const response: JsonObject = { ...last }
    if (this.#id !== '') response.id = this.#id
    const items = this.#round.items(Infinity, dropped).map((item) => writtenItem(item, args))
    response.output = [...this.#earlierItems, ...items, ...this.#added]
    if (this.#earlierUsage.length > 0) response.usage = addResponsesUsage(response.usage, this.#earlierUsage)
    return response
  }

  /** An event as the client sees it: with the number it has in the client's stream, its item under the index it has there. */
  #shown(event: StreamEvent, index: number | undefined, droppedBefore: number): StreamEvent {
    const { payload } = event
    if (payload === undefined) return event
    const sequence = this.#sequence++
    const edits: JsonObject = {}
    if (payload.sequence_number !== undefined && payload.sequence_number !== sequence) edits.sequence_number = sequence
    if (index !== undefined) {
      const shown = index - droppedBefore + this.#base
      this.#nextIndex = Math.max(this.#nextIndex, shown + 1)
      if (shown !== index) edits.output_index = shown
    }
    return Object.keys(edits).length === 0 ? event : { raw: event.raw, payload: { ...payload, ...edits }, isEdited: true }
  }

  #writeText(item: JsonObject): string {
    // It stands after the items of this round that the client will see.
    return messageEvents(item, this.#nextIndex++)
      .map((event) => this.#number(event))
      .join('')
  }

  #number(event: JsonObject): string {
    return this.write({ ...event, sequence_number: this.#sequence++ })
  }

  /** What was shown of this round becomes part of the response. */
  #closeRound(used = this.#round.usage): void {
    this.#earlierItems.push(...this.#round.items(this.#heldFrom))
    if (used !== undefined) this.#earlierUsage.push(used)
    this.#base = this.#nextIndex
    this.#heldFrom = Infinity
    this.#dropped = []
    this.#forgetTail()
    this.#round = new ResponsesRound()
  }
}
