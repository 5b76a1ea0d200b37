/**
 * A chat-completions stream as neutral events: text and arguments pass at once. The dialect has no parts, so they are found
 * here. Every chunk is brought into the documented form first; what could be read in two ways is refused there.
 */
import { isObject, type JsonObject } from '../../../../core/json.ts'
import type { HubFinish } from '../../../hub/answer.ts'
import { originalName } from '../../../hub/accepted-names.ts'
import { parseArguments } from '../../../hub/call-arguments.ts'
import type { ReasoningName } from '../../../hub/conversation.ts'
import type { AnswerOptions } from '../../../hub/dialect-hub.ts'
import {
  dataObject,
  type FramedEvent,
  type GrowingPart,
  type HubEvent,
  maxKeptCharacters,
  type Seal,
  type StreamReader,
} from '../../../hub/events.ts'
import { readLogprobs, type TokenLogprob, withLogprobs } from '../../../hub/logprobs.ts'
import { objectOf, stringOf } from '../../../hub/loose-fields.ts'
import { tagOf } from '../../../hub/tags.ts'
import { readUpstreamError } from '../../../hub/upstream-errors.ts'
import { isAbsent, malformed, objectsOf } from '../../../request/fields.ts'
import { deltaText } from '../call-fields.ts'
import { NormalCalls } from '../normal-calls.ts'
import { readFinish } from './finish.ts'
import { mayHaveState, namedReasoning, signedReasoning, stateFields, stateOfCalls, stateOfMessages } from './reasoning.ts'
import { readUsage } from './usage.ts'

interface OpenCall {
  readonly id: string
  name: string
  /** Its part; -1 until its name is whole. */
  part: number
  /** Arguments so far, to know when they are complete. */
  text: string
  isEnded: boolean
  state: JsonObject | undefined
}

type TextKind = 'text' | 'refusal' | 'reasoning'

export class ChatStreamReader implements StreamReader {
  readonly #emit: (event: HubEvent) => void
  readonly #upstream: string | undefined
  readonly #normal = new NormalCalls()
  #isStarted = false
  #isOver = false
  #nextPart = 0
  /** The open part of words. */
  #open: { readonly kind: TextKind; readonly part: number } | undefined
  readonly #calls = new Map<number, OpenCall>()
  #lastCall: OpenCall | undefined
  #kept = 0
  #finish: HubFinish | undefined
  #isRefused = false
  #usage: JsonObject | undefined
  #state: JsonObject | undefined

  constructor(emit: (event: HubEvent) => void, { upstream }: AnswerOptions) {
    this.#emit = emit
    this.#upstream = upstream
  }

  read(event: FramedEvent): void {
    if (this.#isOver) return
    const data = event.data
    // Proxies keep a stream alive with `data:` and nothing else.
    if (data.length < 16 && data.trim() === '') return
    if (data.length < 16 && data.trim() === '[DONE]') return this.#end(true)
    const chunk = dataObject(event)
    if (chunk === undefined) throw malformed('an event of its stream is not a JSON object')
    if (event.event === 'error' || (chunk.error !== undefined && chunk.error !== null)) {
      this.#isOver = true
      return this.#emit({ kind: 'error', error: readUpstreamError(chunk) })
    }
    this.#readChunk(chunk)
  }

  end(): void {
    if (!this.#isOver) this.#end(false)
  }

  #readChunk(chunk: JsonObject): void {
    const choice = firstChoice(chunk)
    // What has no call needs no other form.
    if (choice !== undefined && mayCall(choice)) this.#normal.read(chunk)
    if (!this.#isStarted) {
      this.#isStarted = true
      this.#emit({ kind: 'start', id: stringOf(chunk.id), model: stringOf(chunk.model) ?? '' })
    }
    if (isObject(chunk.usage)) this.#usage = chunk.usage
    if (choice === undefined) return
    if (isObject(choice.delta)) this.#readDelta(choice.delta, isObject(choice.logprobs) ? readLogprobs(choice.logprobs.content) : [])
    if (typeof choice.finish_reason === 'string') this.#finish = readFinish(choice.finish_reason)
  }

  #readDelta(delta: JsonObject, logprobs: readonly TokenLogprob[]): void {
    const signed = delta.thinking_blocks === undefined ? [] : signedReasoning(delta.thinking_blocks)
    for (const part of signed) {
      if (part.kind === 'sealed') this.#whole(part)
      else if (part.origin.by === 'signature') this.#seal(part.text, part.origin)
    }
    // An upstream that sends whole blocks sends their text as reasoning too: the block says it all once.
    const reasoning = signed.length === 0 ? namedReasoning(delta) : undefined
    if (reasoning !== undefined) this.#say('reasoning', reasoning.text, reasoning.name)
    const content = deltaText(delta.content)
    // Half a character is a token, and no text yet.
    if (content !== '' || logprobs.length > 0) this.#say('text', content, undefined, logprobs)
    const refusal = stringOf(delta.refusal) ?? ''
    if (refusal !== '') {
      this.#isRefused = true
      this.#say('refusal', refusal)
    }
    if (mayHaveState(delta)) this.#keepState(delta)
    if (delta.tool_calls !== undefined) for (const fragment of objectsOf(delta.tool_calls)) this.#readCall(fragment)
  }

  #say(kind: TextKind, text: string, name: ReasoningName = 'reasoning_content', logprobs: readonly TokenLogprob[] = []): void {
    if (this.#open?.kind !== kind) {
      this.#endText()
      this.#endFinishedCall()
      const content: GrowingPart = kind === 'reasoning' ? { kind, origin: { by: 'name', name, upstream: this.#upstream } } : { kind }
      this.#open = { kind, part: this.#nextPart++ }
      this.#emit({ kind: 'part-start', part: this.#open.part, content })
    }
    this.#emit({ kind: 'part-text', part: this.#open.part, text, ...withLogprobs(logprobs) })
  }

  /** A signed block: it signs the reasoning streamed before it, or is a part of its own. */
  #seal(text: string, seal: Seal): void {
    if (this.#open?.kind !== 'reasoning') this.#say('reasoning', text)
    this.#endText(seal)
  }

  #whole(content: (HubEvent & { readonly kind: 'whole-part' })['content']): void {
    this.#endText()
    this.#emit({ kind: 'whole-part', part: this.#nextPart++, content })
  }

  #endText(seal?: Seal): void {
    if (this.#open === undefined) return
    this.#emit({ kind: 'part-end', part: this.#open.part, seal: seal && { family: seal.family, signature: seal.signature } })
    this.#open = undefined
  }

  #readCall(fragment: JsonObject): void {
    const index = fragment.index
    if (typeof index !== 'number') return
    if (fragment.custom !== undefined && fragment.custom !== null)
      throw malformed('a tool call of its stream is none that the client asked for')
    const made = objectOf(fragment.function)
    const call = this.#calls.get(index) ?? this.#newCall(index, stringOf(fragment.id) ?? '')
    const state = mayHaveState(fragment) ? stateFields(fragment, stateOfCalls) : undefined
    if (state !== undefined) call.state = { ...call.state, ...this.#bounded(state) }
    const name = stringOf(made?.name) ?? ''
    // A name may come in pieces, and after the first fragment, but not after the first arguments or the next call.
    if (call.part >= 0 && name !== '') throw malformed('a tool call of its stream changes its name')
    call.name += name
    const text = stringOf(made?.arguments) ?? ''
    if (text === '') return
    if (call.part < 0) this.#startCall(call)
    this.#addArguments(call, text)
  }

  #newCall(index: number, id: string): OpenCall {
    for (const other of this.#calls.values()) if (other.part < 0 && other.name !== '') this.#startCall(other)
    this.#endText()
    this.#endFinishedCall()
    const call = { id, name: '', part: -1, text: '', isEnded: false, state: undefined }
    this.#calls.set(index, call)
    return call
  }

  #startCall(call: OpenCall): void {
    if (call.name === '') throw malformed('a tool call of its stream has no name')
    this.#endText()
    this.#endFinishedCall()
    if (call.state !== undefined) this.#whole({ kind: 'state', call: tagOf(call.id), upstream: this.#upstream, fields: call.state })
    call.state = undefined
    call.part = this.#nextPart++
    this.#lastCall = call
    this.#emit({ kind: 'part-start', part: call.part, content: { kind: 'call', id: call.id, name: originalName(call.name) } })
  }

  #addArguments(call: OpenCall, text: string): void {
    this.#kept += text.length
    if (this.#kept > maxKeptCharacters) throw malformed('the arguments of its tool calls are too long')
    if (call.isEnded) throw malformed('the arguments of a tool call of its stream go on after their end')
    call.text += text
    this.#emit({ kind: 'part-text', part: call.part, text })
  }

  #bounded(state: JsonObject): JsonObject {
    this.#kept += JSON.stringify(state).length
    if (this.#kept > maxKeptCharacters) throw malformed('what hangs on its tool calls is too long')
    return state
  }

  /** Lists go on from chunk to chunk; of anything else the last word counts. */
  #keepState(delta: JsonObject): void {
    const state = stateFields(delta, stateOfMessages)
    if (state === undefined) return
    const kept = { ...this.#state }
    for (const [field, value] of Object.entries(this.#bounded(state))) {
      const before = kept[field]
      kept[field] = Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value
    }
    this.#state = kept
  }

  /** Calls come one after another, but the format allows interleaving: a call ends early only when its arguments are complete. */
  #endFinishedCall(): void {
    const call = this.#lastCall
    if (call !== undefined && !call.isEnded && call.text !== '' && parseArguments(call.text) !== undefined) this.#endCall(call)
  }

  #endCall(call: OpenCall): void {
    call.isEnded = true
    this.#emit({ kind: 'part-end', part: call.part, seal: undefined })
  }

  /** `[DONE]` ends words without a finish reason, which some servers never send; cut-off arguments may be valid JSON, so calls need theirs. */
  #end(isDone: boolean): void {
    const finish = this.#finish ?? (isDone && this.#isStarted && this.#calls.size === 0 ? readFinish('stop') : undefined)
    if (finish === undefined) return
    this.#endText()
    for (const call of this.#calls.values()) {
      if (call.part < 0) this.#startCall(call)
      if (call.text === '' && finish.reason !== 'length') this.#addArguments(call, '{}')
      if (!call.isEnded) this.#endCall(call)
    }
    // What the length limit cut off stands last, where it is known as such.
    if (finish.reason !== 'length') this.#tellState()
    this.#isOver = true
    this.#emit({ kind: 'end', finish: this.#isRefused ? { ...finish, reason: 'refusal' } : finish, usage: readUsage(this.#usage) })
  }

  /** What came too late to stand before its call, and what hangs on the message. */
  #tellState(): void {
    for (const { id, state } of this.#calls.values())
      if (state !== undefined) this.#whole({ kind: 'state', call: tagOf(id), upstream: this.#upstream, fields: state })
    if (this.#state !== undefined) this.#whole({ kind: 'state', call: undefined, upstream: this.#upstream, fields: this.#state })
  }
}

/** Only the first choice exists in the neutral form. */
function firstChoice({ choices }: JsonObject): JsonObject | undefined {
  if (isAbsent(choices)) return undefined
  if (!Array.isArray(choices)) throw malformed('choices of its stream is not an array')
  for (const choice of choices) {
    if (!isObject(choice)) throw malformed('a choice of its stream is not an object')
    const index = choice.index ?? 0
    if (typeof index !== 'number') throw malformed('a choice of its stream has no index')
    if (index === 0) return choice
  }
  return undefined
}

function mayCall({ delta, message }: JsonObject): boolean {
  if (message !== undefined || !isObject(delta)) return true
  return delta.tool_calls !== undefined || delta.function_call !== undefined
}
