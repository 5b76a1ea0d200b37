/** A responses stream as neutral events: texts, reasonings and calls of its items are the parts. */
import type { JsonObject } from '../../../../core/json.ts'
import type { AnswerOptions } from '../../../hub/dialect-hub.ts'
import { dataObject, type FramedEvent, type GrowingPart, type HubEvent, type StreamReader } from '../../../hub/events.ts'
import { readLogprobs, type TokenLogprob, withLogprobs } from '../../../hub/logprobs.ts'
import { objectOf, stringOf } from '../../../hub/loose-fields.ts'
import { readUpstreamError } from '../../../hub/upstream-errors.ts'
import { malformed, objectsOf } from '../../../request/fields.ts'
import { settleEvent } from '../call-texts.ts'
import { isClientCall } from '../calls.ts'
import { responsesErrorIn } from '../errors.ts'
import { itemIndex } from '../item-index.ts'
import { callOf, writtenArguments } from './answers.ts'
import { readFinish } from './finish.ts'
import { reasoningText, stateOfReasoning } from './sealed.ts'
import { readUsage } from './usage.ts'

interface OpenPart {
  readonly part: number
  readonly item: number
  readonly kind: GrowingPart['kind']
  hasText: boolean
}

export class ResponsesStreamReader implements StreamReader {
  readonly #emit: (event: HubEvent) => void
  readonly #upstream: string | undefined
  #isStarted = false
  #isOver = false
  #nextPart = 0
  #hasCalls = false
  #isRefused = false
  /** By item and number of the part in it. */
  readonly #open = new Map<string, OpenPart>()
  /** Items something was said of. */
  readonly #said = new Set<number>()
  readonly #begun = new Set<number>()
  readonly #done = new Set<number>()

  constructor(emit: (event: HubEvent) => void, { upstream }: AnswerOptions) {
    this.#emit = emit
    this.#upstream = upstream
  }

  read(event: FramedEvent): void {
    // Proxies keep a stream alive with `data:` and nothing else; edges end every stream with a word.
    if (this.#isOver || (event.data.length < 16 && ['', '[DONE]'].includes(event.data.trim()))) return
    const payload = dataObject(event)
    if (payload === undefined) throw malformed('an event of its stream is not a JSON object')
    const type = stringOf(payload.type) ?? event.event ?? ''
    const error = responsesErrorIn(payload, type)
    if (error !== undefined) {
      this.#isOver = true
      return this.#emit({ kind: 'error', error: readUpstreamError({ error }) })
    }
    settleEvent(payload, type)
    const item = itemIndex(payload, type) ?? 0
    switch (type) {
      case 'response.created':
      case 'response.in_progress':
        return this.#start(objectOf(payload.response) ?? {})
      case 'response.output_item.added':
        return this.#begin(item, objectOf(payload.item) ?? {})
      case 'response.output_text.delta':
        return this.#say(item, `text ${numberOf(payload.content_index)}`, { kind: 'text' }, payload.delta, payload.logprobs)
      case 'response.refusal.delta':
        this.#isRefused = true
        return this.#say(item, `refusal ${numberOf(payload.content_index)}`, { kind: 'refusal' }, payload.delta)
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        return this.#say(item, `reasoning ${numberOf(payload.summary_index ?? payload.content_index)}`, this.#reasoning(), payload.delta)
      case 'response.function_call_arguments.delta':
        if (!this.#open.has(`${item} call`)) throw malformed('its stream adds to a call that is not open')
        return this.#sayTo(`${item} call`, payload.delta)
      case 'response.output_item.done':
        return this.#finish(item, objectOf(payload.item) ?? {})
      case 'response.completed':
      case 'response.incomplete':
        return this.#end(objectOf(payload.response) ?? {})
      default:
        // What is told again whole, and events newer than this code.
        return
    }
  }

  end(): void {
    // Without its last event there is no end.
  }

  #reasoning(): GrowingPart {
    return { kind: 'reasoning', origin: { by: 'name', name: 'reasoning', upstream: this.#upstream } }
  }

  #start(response: JsonObject): void {
    if (this.#isStarted) return
    this.#isStarted = true
    this.#emit({ kind: 'start', id: stringOf(response.id), model: stringOf(response.model) ?? '' })
  }

  #begin(item: number, native: JsonObject): void {
    if (this.#begun.has(item)) throw malformed('its stream begins an item twice')
    this.#begun.add(item)
    if (!isClientCall(native)) return
    if (native.type !== 'function_call') throw malformed('a tool call of its stream is none that the client asked for')
    this.#hasCalls = true
    this.#openPart(item, `${item} call`, { kind: 'call', ...callOf(native) })
  }

  #openPart(item: number, key: string, content: GrowingPart): OpenPart {
    this.#start({})
    const open: OpenPart = { part: this.#nextPart++, item, kind: content.kind, hasText: false }
    this.#open.set(key, open)
    this.#emit({ kind: 'part-start', part: open.part, content })
    return open
  }

  #say(item: number, name: string, content: GrowingPart, delta: JsonObject[string] | undefined, logprobs?: JsonObject[string]): void {
    const key = `${item} ${name}`
    if (this.#done.has(item)) throw malformed('its stream adds to an item that has ended')
    if (!this.#open.has(key)) this.#openPart(item, key, content)
    this.#said.add(item)
    this.#sayTo(key, delta, readLogprobs(logprobs))
  }

  #sayTo(key: string, delta: JsonObject[string] | undefined, logprobs: readonly TokenLogprob[] = []): void {
    if (typeof delta !== 'string') throw malformed('a fragment of its stream is not text')
    const open = this.#open.get(key)
    if (open === undefined || (delta === '' && logprobs.length === 0)) return
    open.hasText = true
    this.#emit({ kind: 'part-text', part: open.part, text: delta, ...withLogprobs(logprobs) })
  }

  /** What no fragment has told is told by the item. */
  #finish(item: number, native: JsonObject): void {
    if (!this.#begun.has(item)) this.#begin(item, native)
    const call = this.#open.get(`${item} call`)
    if (call !== undefined && !call.hasText) this.#sayTo(`${item} call`, writtenArguments(native))
    if (!this.#said.has(item)) {
      for (const [index, part] of objectsOf(native.type === 'message' ? native.content : []).entries()) {
        if (part.type === 'output_text') this.#say(item, `text ${index}`, { kind: 'text' }, part.text, part.logprobs)
        else if (part.type === 'refusal') this.#say(item, `refusal ${index}`, { kind: 'refusal' }, part.refusal)
      }
      const reasoning = native.type === 'reasoning' ? reasoningText(native) : ''
      if (reasoning !== '') this.#say(item, 'reasoning', this.#reasoning(), reasoning)
    }
    this.#endParts(item)
    this.#done.add(item)
    const state = native.type === 'reasoning' ? stateOfReasoning(native, this.#upstream) : undefined
    if (state !== undefined) this.#emit({ kind: 'whole-part', part: this.#nextPart++, content: state })
  }

  #endParts(item: number): void {
    for (const [key, open] of this.#open) {
      if (open.item !== item) continue
      this.#open.delete(key)
      this.#emit({ kind: 'part-end', part: open.part, seal: undefined })
    }
  }

  #end(response: JsonObject): void {
    this.#start(response)
    const isCut = response.status === 'incomplete'
    if (!isCut && [...this.#open.values()].some(({ kind }) => kind === 'call')) throw malformed('its stream ends with a call that is open')
    for (const { item } of this.#open.values()) this.#endParts(item)
    this.#isOver = true
    this.#emit({ kind: 'end', finish: readFinish(response, this.#isRefused, this.#hasCalls), usage: readUsage(response.usage) })
  }
}

function numberOf(value: JsonObject[string] | undefined): number {
  return typeof value === 'number' ? value : 0
}
