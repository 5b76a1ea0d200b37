/** What the events of a chat-completions stream are to the gate: words that pass, calls and ends that may have to wait. */
import type { UsageRecord } from '@turnward/contract/decision'
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { WrittenArguments } from '../../dialect.ts'
import type { GateRound, GateWays, StreamEvent, StreamLens } from '../../gate/stream-lens.ts'
import { isAbsent, malformed, objectsOf } from '../../request/fields.ts'
import { joinRounds, roundSeparator } from '../round-text.ts'
import { WrittenFragments } from './arguments.ts'
import { type CallNumbers, isSilent, nameWhole, splitChunk, withoutCalls, writeChunk } from './chunks.ts'
import { chatErrorIn } from './errors.ts'
import { ChatRound, choiceIndex, nativeCall } from './round.ts'
import { addChatUsage } from './usage.ts'

const done = 'data: [DONE]\n\n'

/** What a choice of the client's message holds already, from earlier rounds. */
interface ShownText {
  content: string
  refusal: string
}

export class ChatStreamLens implements StreamLens {
  readonly #hideUsageChunk: boolean
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
  /** Numbers of the calls that are released; undefined when all are. */
  #numbers: CallNumbers | undefined
  /** Names that came in pieces and are not released yet. */
  #pieced: Map<string, string> | undefined
  #written: WrittenFragments | undefined

  /** `hideUsageChunk`: the client did not ask for the chunk with the usage. */
  constructor(hideUsageChunk: boolean) {
    this.#hideUsageChunk = hideUsageChunk
  }

  get deliveredText(): string {
    const indexes = [...new Set([...this.#earlier.keys(), ...this.#round.choices.keys()])].sort((a, b) => a - b)
    return indexes
      .map((index) => this.#shownText(index))
      .flatMap(({ content, refusal }) => [content, refusal])
      .filter((text) => text !== '')
      .join('\n')
  }

  errorIn(payload: JsonObject): JsonValue | undefined {
    return chatErrorIn(payload)
  }

  read(event: StreamEvent, _type: string, ways: GateWays): void {
    if (event.payload === undefined) {
      this.#round.isDone = true
      this.#send(event, ways.isHolding, ways)
      return
    }
    const chunk = event.payload
    const choices = chunk.choices ?? []
    if (!Array.isArray(choices)) throw malformed('choices of its stream is not an array')
    const reading = this.#round.read(chunk, choices)
    // Azure opens with a chunk that has neither choices nor an id.
    if (choices.length > 0) this.#frame ??= frameOf(chunk)
    if (choices.length === 0 && isObject(chunk.usage) && this.#hideUsageChunk) return
    const shown = this.#isContinued ? this.#continued(chunk, choices) : chunk
    if (shown === undefined) return
    const isEdited = reading.isEdited || shown !== chunk
    if (reading.saysOnly !== undefined && !isEdited && !ways.isHolding) this.#learn(event, choices[0], reading.saysOnly, ways)
    const mustHold = reading.hasCalls || (ways.isHolding ? reading.hasFinish || choices.length === 0 : reading.hasFinish && ways.holdsEnd())
    if (!mustHold) {
      this.#send({ raw: event.raw, payload: shown, isEdited }, false, ways)
      return
    }
    const { words, rest } = splitChunk(shown)
    if (words !== undefined) this.#send({ raw: event.raw, payload: words, isEdited: true }, false, ways)
    this.#send({ raw: event.raw, payload: rest, isEdited: isEdited || words !== undefined }, true, ways)
  }

  readEnd(isProper: boolean, ways: GateWays): void {
    // A finish reason and a proper end are enough for us; some clients wait for the word.
    if (this.#round.isDone || !this.#round.isComplete(isProper)) return
    this.#round.isDone = true
    this.#send({ raw: Buffer.from(done), payload: undefined, isEdited: false }, ways.isHolding, ways)
  }

  told(): number | undefined {
    return this.#round.told()
  }

  round(): GateRound {
    const round = this.#round
    const isComplete = round.isComplete(false)
    // Calls of a stream that was cut off are nobody's to decide, and may lack anything.
    const made = isComplete ? round.calls() : []
    const cut = new Set(round.cutCalls().map(({ id }) => id))
    const calls = made.filter(({ id }) => !cut.has(id))
    return {
      calls: calls.map((call) => call.view),
      native: new Map(calls.map((call) => [call.id, nativeCall(call)])),
      assistant: () => (isComplete ? round.assistantMessage() : { role: 'assistant', content: round.choices.get(0)?.content ?? '' }),
      cutCalls: made.length - calls.length,
      finish: round.finish(),
      usage: round.usage,
      responseId: round.id,
      model: round.model,
      complete: isComplete,
    }
  }

  write(payload: JsonObject): string {
    return writeChunk(payload)
  }

  beginRelease(allowed: ReadonlySet<string>, args: WrittenArguments): void {
    const calls = this.#round.calls()
    this.#pieced = this.#round.piecedNames()
    this.#written = args.size === 0 ? undefined : new WrittenFragments(args, calls)
    this.#numbers = calls.every((call) => allowed.has(call.id)) ? undefined : numberCalls(calls, allowed)
  }

  release(event: StreamEvent): StreamEvent | undefined {
    const { payload } = event
    if (payload === undefined) return event
    const isNamed = this.#pieced !== undefined && nameWhole(payload, this.#pieced)
    const isWritten = this.#written?.write(payload) === true
    const left = this.#numbers === undefined ? payload : withoutCalls(payload, this.#numbers, this.#rolesShown)
    if (left === payload && !isNamed && !isWritten) return event
    return left === undefined ? undefined : { raw: event.raw, payload: left, isEdited: true }
  }

  addText(text: string): string {
    const said = this.#round.choices.get(0)
    if (said === undefined) return ''
    const content = this.#shownText(0).content === '' ? text : roundSeparator + text
    said.content += content
    return writeChunk({ ...this.#frameOrDefault(), choices: [{ index: 0, delta: { content }, finish_reason: null }] })
  }

  nextRound(): JsonObject {
    const message = this.#round.assistantMessage()
    this.#closeRound()
    this.#isContinued = true
    return message
  }

  dropRound(): void {
    this.#round = new ChatRound()
  }

  close(explanation: string, used?: UsageRecord): string {
    const indexes = new Set([0, ...this.#round.choices.keys()])
    this.#round.usage = used ?? this.#round.usage
    this.#closeRound()
    const open = [...indexes].filter((index) => !this.#ended.has(index))
    const chunks: JsonObject[] = []
    for (const index of open) {
      const shown = this.#shownText(index)
      const content = shown.content === '' || explanation === '' ? explanation : roundSeparator + explanation
      this.#earlier.set(index, { ...shown, content: shown.content + content })
      const role: JsonObject = this.#rolesShown.has(index) ? {} : { role: 'assistant' }
      if (content !== '' || role.role !== undefined)
        chunks.push({ ...this.#frameOrDefault(), choices: [{ index, delta: { ...role, content }, finish_reason: null }] })
    }
    for (const index of open) {
      chunks.push({ ...this.#frameOrDefault(), choices: [{ index, delta: {}, finish_reason: used === undefined ? 'stop' : 'length' }] })
      this.#ended.add(index)
    }
    if (!this.#hideUsageChunk && this.#earlierUsage.length > 0)
      chunks.push({ ...this.#frameOrDefault(), choices: [], usage: addChatUsage(undefined, this.#earlierUsage) })
    return chunks.map(writeChunk).join('') + done
  }

  /** The next chunk may say something else to the same choice, and nothing more. */
  #learn(event: StreamEvent, choice: JsonValue | undefined, words: string, ways: GateWays): void {
    if (!isObject(choice)) return
    const parts = this.#round.choices.get(choiceIndex(choice))
    if (parts === undefined || parts.pieces !== undefined) return
    ways.learn(event, words, putWords, (text) => {
      parts.content += text
    })
  }

  #send(event: StreamEvent, isHeld: boolean, ways: GateWays): void {
    if (isHeld) {
      ways.hold(event)
      return
    }
    for (const choice of objectsOf(event.payload?.choices)) {
      const index = choiceIndex(choice)
      if (isObject(choice.delta) && !isAbsent(choice.delta.role)) this.#rolesShown.add(index)
      if (!isAbsent(choice.finish_reason)) this.#ended.add(index)
    }
    ways.pass(event)
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

  /** What was said in this round becomes part of what was shown. */
  #closeRound(): void {
    for (const index of this.#round.choices.keys()) this.#earlier.set(index, this.#shownText(index))
    if (this.#round.usage !== undefined) this.#earlierUsage.push(this.#round.usage)
    this.#separated.clear()
    this.#round = new ChatRound()
  }

  #shownText(index: number): ShownText {
    const earlier = this.#earlier.get(index)
    const now = this.#round.choices.get(index)
    return { content: joinRounds(earlier?.content ?? '', now?.content ?? ''), refusal: (earlier?.refusal ?? '') + (now?.refusal ?? '') }
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
