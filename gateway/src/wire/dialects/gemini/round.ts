/**
 * Puts the events of one Gemini stream together: parts, calls, why it ended and what it cost. Parts keep the pieces they came in,
 * because a thought signature belongs to the piece it hangs on.
 */
import { asText, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { ToolCallView } from '../../dialect.ts'
import { isAbsent } from '../../request/fields.ts'
import { bytesOf } from '../round-text.ts'
import { asUpstreamError } from '../upstream-fields.ts'
import { answeredParts, candidateOf, settleCalls } from './answer.ts'
import { CallReader, endsInCall, isCall } from './calls.ts'
import { blockReason } from './finish.ts'
import { textOfParts } from './views.ts'

export interface MadeCall {
  readonly part: JsonObject
  readonly view: ToolCallView
}

export class GeminiRound {
  id = ''
  model = ''
  finish: JsonValue | undefined
  isBlocked = false
  usage: JsonObject | undefined
  readonly parts: JsonObject[] = []
  readonly calls: MadeCall[] = []
  /** Parts the client has been shown; all until something is held. */
  shown = 0
  readonly #reader = new CallReader()

  /** The parts of the next event; whether something of them had to be brought into the documented form. */
  take(payload: JsonObject): { readonly parts: readonly JsonObject[]; readonly isSettled: boolean } {
    this.id = asText(payload.responseId) || this.id
    this.model = asText(payload.modelVersion) || this.model
    if (isObject(payload.usageMetadata)) this.usage = payload.usageMetadata
    if (blockReason(payload) !== undefined) this.isBlocked = true
    const candidate = candidateOf(payload)
    if (candidate === undefined) return { parts: [], isSettled: false }
    if (!isAbsent(candidate.finishReason)) this.finish = candidate.finishReason
    const parts = answeredParts(candidate)
    const isSettled = settleCalls(parts)
    asUpstreamError(() => textOfParts(parts, 'parts'))
    for (const part of parts) {
      this.parts.push(part)
      if (isCall(part)) this.calls.push({ part, view: asUpstreamError(() => this.#reader.read(part, 'parts')) })
    }
    return { parts, isSettled }
  }

  get isComplete(): boolean {
    return this.finish !== undefined || this.isBlocked
  }

  /** Bytes of what was said, thought and called so far; undefined once it has come to its end. */
  told(): number | undefined {
    if (this.isComplete) return undefined
    return bytesOf(this.parts.map((part) => (isCall(part) ? JSON.stringify(part.functionCall) : asText(part.text))))
  }

  get cut(): MadeCall | undefined {
    return this.finish === 'MAX_TOKENS' && endsInCall(this.parts) ? this.calls.at(-1) : undefined
  }

  assistant(): JsonObject {
    const cut = this.cut?.part
    return { role: 'model', parts: this.parts.filter((part) => part !== cut) }
  }
}
