/**
 * The gate for chat-completions streams: text passes as it comes, in its own bytes; from the first tool call on,
 * calls and the end of the message wait for a decision. No fragment of an undecided call ever reaches the client.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import { type CallNumbers, isSilent, splitChunk, withoutCalls, writeChunk } from './chunks.ts'
import { joinRounds, roundSeparator } from './answer.ts'
import { ChatRound, choiceIndex, nativeCall } from './round.ts'
import { isAbsent, malformed, objectsOf } from '../../request/fields.ts'
import { GateOutput } from '../../gate/gate-output.ts'
import { HeldEvents } from '../../gate/held-events.ts'
import { SseFramer, asBuffer, type SseEvent } from '../../framing/sse.ts'
import { errorReason, isLineEnd, readPayload, wholeEvent } from '../../gate/stream-events.ts'
import type { GateOptions, GateRound, GateSink, StreamGate } from '../../gate/stream-gate.ts'
import { TextEvents } from '../../gate/text-events.ts'
import { addChatUsage } from './usage.ts'

const done = 'data: [DONE]\n\n'

/** What a choice of the client's message holds already, from earlier rounds. */
interface ShownText {
  content: string
  refusal: string
}

export class ChatStreamGate implements StreamGate {
  readonly #output: GateOutput
  readonly #framer: SseFramer
  readonly #texts: TextEvents
  readonly #hideUsageChunk: boolean
  readonly #held: HeldEvents
  readonly #maskError: (raw: Buffer) => Buffer
  readonly #holdsEnd: () => boolean
  #round = new ChatRound()
  #isContinued = false
  /** Fields every chunk of the message repeats, as the first round had them. */
  #frame: JsonObject | undefined
  readonly #earlierUsage: UsageRecord[] = []
  readonly #earlier = new Map<number, ShownText>()
  /** Choices whose role the client has, and whose end it has. */
  readonly #rolesShown = new Set<number>()
  readonly #ended = new Set<number>()
  /** Choices that have said something in this round. */
  readonly #separated = new Set<number>()

  constructor(sink: GateSink, options: GateOptions) {
    this.#output = new GateOutput(sink)
    this.#framer = new SseFramer(options.maxEventBytes)
    this.#texts = new TextEvents(options.maxEventBytes)
    this.#held = new HeldEvents(options.maxEventBytes)
    this.#maskError = options.maskError ?? ((raw) => raw)
    this.#hideUsageChunk = options.hideUsageChunk
    this.#holdsEnd = options.holdsEnd ?? (() => false)
  }

  get failed(): boolean {
    return this.#round.error !== undefined
  }

  get holding(): boolean {
    return !this.#held.isEmpty
  }

  get deliveredText(): string {
    return this.#textWith((index) => this.#shownText(index))
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
    this.#output.flush()
    const isComplete = round.isComplete()
    // Calls of a stream that was cut off are nobody's to decide, and may lack anything.
    const calls = isComplete ? round.calls() : []
    return {
      calls: calls.map((call) => call.view),
      native: new Map(calls.map((call) => [call.id, nativeCall(call)])),
      assistant: isComplete ? round.assistantMessage() : { role: 'assistant', content: round.choices.get(0)?.content ?? '' },
      text: this.#textWith((index) => round.choices.get(index)),
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
    const numbers = calls.every((call) => allowed.has(call.id)) ? undefined : numberCalls(calls, allowed)
    for (const held of this.#held.take()) {
      const chunk =
        held.payload === undefined || numbers === undefined ? held.payload : withoutCalls(held.payload, numbers, this.#rolesShown)
      if (chunk === held.payload && !held.isEdited) this.#output.raw(held.raw)
      else if (chunk !== undefined) this.#output.text(writeChunk(chunk))
    }
    this.#output.flush()
  }

  addText(text: string): void {
    const said = this.#round.choices.get(0)
    if (said === undefined) return
    const content = this.#shownText(0).content === '' ? text : roundSeparator + text
    said.content += content
    this.#output.text(writeChunk({ ...this.#frameOrDefault(), choices: [{ index: 0, delta: { content }, finish_reason: null }] }))
    this.#output.flush()
  }

  startContinuation(): JsonObject {
    const message = this.#round.assistantMessage()
    this.#closeRound()
    this.#isContinued = true
    return message
  }

  finishWithText(explanation: string): void {
    const indexes = new Set([0, ...this.#round.choices.keys()])
    this.#closeRound()
    const choices: JsonObject[] = []
    for (const index of indexes) {
      if (this.#ended.has(index)) continue
      const shown = this.#shownText(index)
      const content = shown.content === '' || explanation === '' ? explanation : roundSeparator + explanation
      this.#earlier.set(index, { ...shown, content: shown.content + content })
      const role: JsonObject = this.#rolesShown.has(index) ? {} : { role: 'assistant' }
      if (content !== '' || role.role !== undefined) choices.push({ index, delta: { ...role, content }, finish_reason: null })
    }
    for (const choice of choices) this.#output.text(writeChunk({ ...this.#frameOrDefault(), choices: [choice] }))
    for (const index of indexes) {
      if (!this.#ended.has(index))
        this.#output.text(writeChunk({ ...this.#frameOrDefault(), choices: [{ index, delta: {}, finish_reason: 'stop' }] }))
      this.#ended.add(index)
    }
    if (!this.#hideUsageChunk && this.#earlierUsage.length > 0) {
      this.#output.text(writeChunk({ ...this.#frameOrDefault(), choices: [], usage: addChatUsage(undefined, this.#earlierUsage) }))
    }
    this.#output.text(done)
    this.#output.flush()
  }

  #onEvent = (event: SseEvent): void => {
    const data = event.data?.trim()
    if (event.isForeign) {
      if (event.isTerminated) throw malformed('it is not an event stream')
    } else if (data === undefined || data === '') {
      // A torn rest without data says nothing, and would swallow whatever is written after it.
      if (event.isTerminated || isLineEnd(event.raw)) this.#output.raw(event.raw)
    } else if (data === '[DONE]') {
      this.#round.isDone = true
      this.#pass(wholeEvent(event), undefined, false, this.holding)
    } else {
      const chunk = readPayload(event, data)
      if (chunk !== undefined) this.#onChunk(chunk, wholeEvent(event))
    }
  }

  #onChunk(chunk: JsonObject, raw: Buffer): void {
    if (!isAbsent(chunk.error) && chunk.error !== false) {
      this.#round.error = errorReason(chunk.error)
      this.#output.raw(this.#maskError(raw))
      return
    }
    const choices = chunk.choices ?? []
    if (!Array.isArray(choices)) throw malformed('choices of its stream is not an array')
    const reading = this.#round.read(chunk, choices)
    // Azure opens with a chunk that has neither choices nor an id.
    if (choices.length > 0) this.#frame ??= frameOf(chunk)
    if (choices.length === 0 && isObject(chunk.usage) && this.#hideUsageChunk) return
    const shown = this.#isContinued ? this.#continued(chunk, choices) : chunk
    if (shown === undefined) return
    const isEdited = reading.isEdited || shown !== chunk
    if (reading.saysOnly !== undefined && !isEdited && !this.holding) this.#learn(raw, chunk, choices[0], reading.saysOnly)
    const mustHold = reading.hasCalls || (this.holding ? reading.hasFinish || choices.length === 0 : reading.hasFinish && this.#holdsEnd())
    if (!mustHold) {
      this.#pass(raw, shown, isEdited, false)
      return
    }
    const { words, rest } = splitChunk(shown)
    if (words !== undefined) this.#pass(raw, words, true, false)
    this.#pass(raw, rest, isEdited || words !== undefined, true)
  }

  /** The next chunk may say something else to the same choice, and nothing more. */
  #learn(raw: Buffer, chunk: JsonObject, choice: JsonValue | undefined, words: string): void {
    if (!isObject(choice)) return
    const parts = this.#round.choices.get(choiceIndex(choice))
    if (parts !== undefined)
      this.#texts.learn(raw, chunk, words, putWords, (text) => {
        parts.content += text
      })
  }

  #pass(raw: Buffer, payload: JsonObject | undefined, isEdited: boolean, isHeld: boolean): void {
    if (isHeld) {
      this.#held.add({ raw, payload, isEdited })
      return
    }
    for (const choice of objectsOf(payload?.choices)) {
      const index = choiceIndex(choice)
      if (isObject(choice.delta) && !isAbsent(choice.delta.role)) this.#rolesShown.add(index)
      if (!isAbsent(choice.finish_reason)) this.#ended.add(index)
    }
    if (isEdited && payload !== undefined) this.#output.text(writeChunk(payload))
    else this.#output.raw(raw)
  }

  /** A chunk of a later round as a chunk of the message the client is reading; undefined when it has nothing new for it. */
  #continued(chunk: JsonObject, choices: JsonValue[]): JsonObject | undefined {
    const continued: JsonObject = { ...chunk, ...this.#frame }
    if (isObject(chunk.usage)) continued.usage = addChatUsage(chunk.usage, this.#earlierUsage)
    if (choices.length === 0) return continued
    const kept = objectsOf(choices).flatMap((choice) => {
      const index = choiceIndex(choice)
      // A choice the client has seen the end of cannot be taken up again.
      if (this.#ended.has(index)) return []
      const delta: JsonObject = isObject(choice.delta) ? { ...choice.delta } : {}
      if (this.#rolesShown.has(index)) delete delta.role
      if (asText(delta.content) !== '') delta.content = this.#separate(index) + asText(delta.content)
      const edited = { ...choice, delta }
      return isSilent(edited, this.#rolesShown.has(index)) ? [] : [edited]
    })
    if (kept.length === 0 && isAbsent(continued.usage)) return undefined
    return { ...continued, choices: kept }
  }

  #separate(index: number): string {
    if (this.#separated.has(index)) return ''
    this.#separated.add(index)
    return (this.#earlier.get(index)?.content ?? '') === '' ? '' : roundSeparator
  }

  /** What was said in this round becomes part of what was shown; what is held is discarded. */
  #closeRound(): void {
    this.#held.take()
    this.#texts.forget()
    for (const index of this.#round.choices.keys()) {
      this.#earlier.set(index, this.#shownText(index))
    }
    if (this.#round.usage !== undefined) this.#earlierUsage.push(this.#round.usage)
    this.#separated.clear()
    this.#round = new ChatRound()
  }

  #shownText(index: number): ShownText {
    const earlier = this.#earlier.get(index)
    const now = this.#round.choices.get(index)
    return { content: joinRounds(earlier?.content ?? '', now?.content ?? ''), refusal: (earlier?.refusal ?? '') + (now?.refusal ?? '') }
  }

  #textWith(textOfChoice: (index: number) => ShownText | undefined): string {
    const indexes = new Set([...this.#earlier.keys(), ...this.#round.choices.keys()])
    return [...indexes]
      .sort((a, b) => a - b)
      .flatMap((index) => {
        const parts = textOfChoice(index)
        return [parts?.content ?? '', parts?.refusal ?? '']
      })
      .filter((text) => text !== '')
      .join('\n')
  }

  #frameOrDefault(): JsonObject {
    return this.#frame ?? { id: 'chatcmpl-turnward', object: 'chat.completion.chunk', created: 0, model: '' }
  }
}

function putWords(chunk: JsonObject, words: string): void {
  const [choice] = objectsOf(chunk.choices)
  if (isObject(choice?.delta)) choice.delta.content = words
}

function frameOf(chunk: JsonObject): JsonObject {
  const frame: JsonObject = {}
  for (const key of ['id', 'object', 'created', 'model', 'system_fingerprint']) if (chunk[key] !== undefined) frame[key] = chunk[key]
  return frame
}

function numberCalls(
  calls: readonly { readonly choice: number; readonly index: number; readonly id: string }[],
  allowed: ReadonlySet<string>,
): CallNumbers {
  const numbers = new Map<number, Map<number, number>>()
  for (const call of calls) {
    const kept = numbers.get(call.choice) ?? new Map<number, number>()
    numbers.set(call.choice, kept)
    if (allowed.has(call.id)) kept.set(call.index, kept.size)
  }
  return numbers
}
