/** A Gemini stream as neutral events: words pass as they come, a call comes whole. */
import { asText, isObject, type JsonObject } from '../../../../core/json.ts'
import type { HubFinish } from '../../../hub/answer.ts'
import type { HubCall } from '../../../hub/conversation.ts'
import type { AnswerOptions } from '../../../hub/dialect-hub.ts'
import { dataObject, type FramedEvent, type HubEvent, type StreamReader } from '../../../hub/events.ts'
import { argumentsText } from '../../../hub/call-arguments.ts'
import { type TokenLogprob, withLogprobs } from '../../../hub/logprobs.ts'
import { stringOf } from '../../../hub/loose-fields.ts'
import { readUpstreamError } from '../../../hub/upstream-errors.ts'
import { isAbsent, malformed } from '../../../request/fields.ts'
import { asUpstreamError } from '../../upstream-fields.ts'
import { answeredParts, candidateOf, settleCalls } from '../answer.ts'
import { geminiErrorIn } from '../errors.ts'
import { blockReason } from '../finish.ts'
import { answerReader, refusedQuestion } from './answers.ts'
import { readFinish } from './finish.ts'
import { readLogprobs } from './logprobs.ts'
import type { PartReader } from './parts.ts'
import { readUsage } from './usage.ts'

export class GeminiStreamReader implements StreamReader {
  readonly #emit: (event: HubEvent) => void
  readonly #upstream: string | undefined
  #reader: PartReader | undefined
  #nextPart = 0
  #isOver = false
  #open: { readonly kind: 'text' | 'reasoning'; readonly part: number } | undefined
  /** The last call, until something follows it: the length limit may have fallen into its arguments. */
  #call: HubCall | undefined
  #finish: HubFinish | undefined
  #usage: JsonObject | undefined
  /** Of the event that is read, until its words are said. */
  #logprobs: readonly TokenLogprob[] = []

  constructor(emit: (event: HubEvent) => void, { upstream }: AnswerOptions) {
    this.#emit = emit
    this.#upstream = upstream
  }

  read(event: FramedEvent): void {
    const data = event.data.trim()
    if (this.#isOver || data === '' || data === '[DONE]') return
    const payload = dataObject(event)
    if (payload === undefined) throw malformed('an event of its stream is not a JSON object')
    if (geminiErrorIn(payload) !== undefined) {
      this.#isOver = true
      return this.#emit({ kind: 'error', error: readUpstreamError(payload) })
    }
    this.#readAnswer(payload)
  }

  end(): void {
    if (this.#isOver || this.#finish === undefined) return
    this.#isOver = true
    this.#endText()
    this.#endCall(this.#finish.reason !== 'length')
    this.#emit({ kind: 'end', finish: this.#finish, usage: readUsage(this.#usage) })
  }

  #readAnswer(payload: JsonObject): void {
    if (this.#reader === undefined) {
      this.#reader = answerReader(asText(payload.responseId), this.#upstream)
      this.#emit({ kind: 'start', id: stringOf(payload.responseId), model: asText(payload.modelVersion) })
    }
    if (isObject(payload.usageMetadata)) this.#usage = payload.usageMetadata
    const blocked = blockReason(payload)
    if (blocked !== undefined) this.#finish ??= refusedQuestion(blocked)
    const candidate = candidateOf(payload)
    this.#logprobs = readLogprobs(candidate)
    const parts = answeredParts(candidate)
    settleCalls(parts)
    for (const part of parts) this.#readPart(part, this.#reader)
    if (!isAbsent(candidate?.finishReason)) this.#finish = readFinish(candidate?.finishReason, stringOf(candidate?.finishMessage))
  }

  #readPart(part: JsonObject, reader: PartReader): void {
    const read = asUpstreamError(() => [...reader.read(part, 'parts'), ...reader.end()])
    for (const one of read) {
      this.#endCall(true)
      if (one.kind === 'text' || one.kind === 'reasoning') this.#say(one.kind, one.text)
      else if (one.kind === 'call') {
        this.#endText()
        this.#call = one
      } else if (one.kind === 'state' || one.kind === 'sealed') {
        this.#endText()
        this.#emit({ kind: 'whole-part', part: this.#nextPart++, content: one })
      }
    }
  }

  #say(kind: 'text' | 'reasoning', text: string): void {
    if (this.#open?.kind !== kind) {
      this.#endText()
      this.#open = { kind, part: this.#nextPart++ }
      const content = kind === 'text' ? { kind } : { kind, origin: { by: 'unknown' as const } }
      this.#emit({ kind: 'part-start', part: this.#open.part, content })
    }
    const logprobs = kind === 'text' ? this.#logprobs : []
    if (kind === 'text') this.#logprobs = []
    if (text !== '') this.#emit({ kind: 'part-text', part: this.#open.part, text, ...withLogprobs(logprobs) })
  }

  #endText(): void {
    if (this.#open !== undefined) this.#emit({ kind: 'part-end', part: this.#open.part, seal: undefined })
    this.#open = undefined
  }

  #endCall(isWhole: boolean): void {
    const call = this.#call
    if (call === undefined) return
    this.#call = undefined
    const part = this.#nextPart++
    this.#emit({ kind: 'part-start', part, content: { kind: 'call', id: call.id, name: call.name } })
    if (isWhole) this.#emit({ kind: 'part-text', part, text: argumentsText(call.args) })
    this.#emit({ kind: 'part-end', part, seal: undefined })
  }
}
