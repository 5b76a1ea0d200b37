/**
 * What the events of a Gemini stream are to the gate: each is a whole answer with the next few parts. Words pass as they come;
 * from the first call on, and from the end on where something is to be added, parts wait. No event ends the stream: a finish
 * reason must have come.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { WrittenArguments } from '../../dialect.ts'
import type { GateRound, GateWays, StreamEvent, StreamLens } from '../../gate/stream-lens.ts'
import { isAbsent } from '../../request/fields.ts'
import { joinRounds, roundSeparator } from '../round-text.ts'
import { asUpstreamError } from '../upstream-fields.ts'
import { candidateOf } from './answer.ts'
import { writtenPart } from './arguments.ts'
import { isCall, partsOf, sayableParts } from './calls.ts'
import { geminiErrorIn } from './errors.ts'
import { geminiFinish } from './finish.ts'
import { GeminiRound } from './round.ts'
import { addGeminiUsage, readGeminiUsage } from './usage.ts'
import { textOfParts } from './views.ts'

export class GeminiStreamLens implements StreamLens {
  #round = new GeminiRound()
  #isContinued = false
  /** Words of rounds before this one that the client has, and words of our own. */
  #earlierText = ''
  #addedText = ''
  /** The next words of this round stand apart from those of the round before. */
  #needsSeparator = false
  readonly #earlierUsage: UsageRecord[] = []
  #allowed: ReadonlySet<string> = new Set()
  /** What calls are released with instead of what the model wrote. */
  #written: WrittenArguments = new Map()

  get deliveredText(): string {
    return joinRounds(this.#earlierText, textOf(this.#round.parts)) + this.#addedText
  }

  errorIn(payload: JsonObject): JsonValue | undefined {
    return geminiErrorIn(payload)
  }

  read(event: StreamEvent, _type: string, ways: GateWays): void {
    const { payload } = event
    if (payload === undefined) {
      // No event of this dialect: an edge ends every stream so.
      return
    }
    const { parts, isSettled } = this.#round.take(payload)
    const told = this.#continued(isSettled ? { ...event, isEdited: true } : event, payload)
    if (ways.isHolding) {
      ways.hold(told)
      return
    }
    const firstCall = parts.findIndex(isCall)
    const isEnd = firstCall < 0 && this.#round.isComplete && ways.holdsEnd()
    const passing = isEnd ? parts.length : firstCall
    if (passing < 0) {
      this.#round.shown = this.#round.parts.length
      ways.pass(told)
      this.#learn(event, payload, parts, ways)
      return
    }
    this.#round.shown = this.#round.parts.length - parts.length + passing
    if (passing > 0) this.#split(told, passing, ways)
    else ways.hold(told)
  }

  readEnd(): void {}

  told(): number | undefined {
    return this.#round.told()
  }

  round(): GateRound {
    const round = this.#round
    const { cut } = round
    const made = round.isComplete ? round.calls.filter((call) => call !== cut) : []
    return {
      calls: made.map(({ view }) => view),
      native: new Map(made.map(({ part, view }) => [view.id, part])),
      assistant: () => round.assistant(),
      cutCalls: cut === undefined ? 0 : 1,
      finish: round.finish === undefined && round.isBlocked ? 'refusal' : geminiFinish(round.finish, round.calls.length > 0),
      usage: readGeminiUsage(round.usage),
      responseId: round.id,
      model: round.model,
      complete: round.isComplete,
    }
  }

  write(payload: JsonObject): string {
    return `data: ${JSON.stringify(payload)}\n\n`
  }

  beginRelease(allowed: ReadonlySet<string>, args: WrittenArguments): void {
    this.#allowed = allowed
    this.#written = args
  }

  release(event: StreamEvent): StreamEvent | undefined {
    const { payload } = event
    const parts = payload === undefined ? [] : partsOf(candidateOf(payload)?.content)
    if (payload === undefined || !parts.some(isCall)) return event
    const kept = parts.flatMap((part) => {
      const made = this.#round.calls.find((call) => call.part === part)
      if (made === undefined) return [part]
      return this.#allowed.has(made.view.id) ? [writtenPart(part, this.#written.get(made.view.id))] : []
    })
    if (kept.length === parts.length && kept.every((part, at) => part === parts[at])) return event
    const candidate = candidateOf(payload)
    if (kept.length === 0 && isAbsent(candidate?.finishReason) && isAbsent(payload.usageMetadata)) return undefined
    return { ...event, payload: withParts(payload, kept), isEdited: true }
  }

  addText(text: string): string {
    const words = this.deliveredText === '' ? text : roundSeparator + text
    this.#addedText += words
    return this.write(this.#said(words))
  }

  nextRound(): JsonObject {
    return this.#endRound()
  }

  /** `used`: by a round that has not said so itself. */
  #endRound(used = readGeminiUsage(this.#round.usage)): JsonObject {
    const message = this.#round.assistant()
    this.#earlierText = joinRounds(this.#earlierText, textOf(this.#round.parts.slice(0, this.#round.shown)))
    if (used !== undefined) this.#earlierUsage.push(used)
    this.#round = new GeminiRound()
    this.#isContinued = true
    this.#needsSeparator = this.#earlierText !== ''
    return message
  }

  dropRound(): void {
    this.#round = new GeminiRound()
  }

  close(text: string, used?: UsageRecord): string {
    const { id, model } = this.#round
    this.#endRound(used)
    this.#round.id = id
    this.#round.model = model
    const words = text === '' || this.#earlierText === '' ? text : roundSeparator + text
    this.#earlierText += words
    const payload = this.#said(words)
    const candidate = { ...candidateOf(payload), finishReason: used === undefined ? 'STOP' : 'MAX_TOKENS' }
    return this.write({ ...payload, candidates: [candidate], usageMetadata: addGeminiUsage({}, this.#earlierUsage) })
  }

  /** Words of our own as an event. */
  #said(text: string): JsonObject {
    const { id, model } = this.#round
    return {
      candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0 }],
      ...(model === '' ? {} : { modelVersion: model }),
      ...(id === '' ? {} : { responseId: id }),
    }
  }

  /** An event of a later round as the client is told it: what it cost is what the whole message cost. */
  #continued(event: StreamEvent, payload: JsonObject): StreamEvent {
    if (!this.#isContinued) return event
    let told = payload
    if (isObject(payload.usageMetadata)) told = { ...told, usageMetadata: addGeminiUsage(payload.usageMetadata, this.#earlierUsage) }
    const parts = partsOf(candidateOf(payload)?.content)
    const first = parts.findIndex((part) => part.thought !== true && asText(part.text) !== '')
    if (this.#needsSeparator && first >= 0) {
      this.#needsSeparator = false
      told = withParts(
        told,
        parts.map((part, at) => (at === first ? { ...part, text: roundSeparator + asText(part.text) } : part)),
      )
    }
    return told === payload ? event : { ...event, payload: told, isEdited: true }
  }

  /** The first parts of an event go on, the rest waits. */
  #split(event: StreamEvent, count: number, ways: GateWays): void {
    const payload = event.payload ?? {}
    const parts = partsOf(candidateOf(payload)?.content)
    const { usageMetadata: _usage, ...rest } = payload
    const { finishReason: _finish, finishMessage: _message, groundingMetadata: _grounding, ...candidate } = candidateOf(payload) ?? {}
    // What is told of the tokens goes with the words.
    const { logprobsResult: _tokens, ...later } = candidateOf(payload) ?? {}
    ways.pass({ ...event, payload: withParts({ ...rest, candidates: [candidate] }, parts.slice(0, count)), isEdited: true })
    ways.hold({ ...event, payload: withParts({ ...payload, candidates: [later] }, parts.slice(count)), isEdited: true })
  }

  /** The next event may bring other words in the same part, and nothing more. */
  #learn(event: StreamEvent, payload: JsonObject, parts: readonly JsonObject[], ways: GateWays): void {
    const [part] = parts
    if (this.#isContinued || this.#round.isComplete || parts.length !== 1 || part === undefined) return
    if (typeof part.text !== 'string' || part.text === '' || Object.keys(part).length !== 1) return
    ways.learn(event, part.text, putWords, (text) => {
      this.#round.parts.push({ text })
      this.#round.shown = this.#round.parts.length
    })
  }
}

function textOf(parts: readonly JsonObject[]): string {
  return asUpstreamError(() => textOfParts(parts, 'parts'))
}

function withParts(payload: JsonObject, parts: JsonObject[]): JsonObject {
  const candidate = candidateOf(payload) ?? {}
  const content = isObject(candidate.content) ? candidate.content : { role: 'model' }
  return { ...payload, candidates: [{ ...candidate, content: { ...content, parts: sayableParts(parts) } }] }
}

function putWords(payload: JsonObject, words: string): void {
  const [part] = partsOf(candidateOf(payload)?.content)
  if (part !== undefined) part.text = words
}
