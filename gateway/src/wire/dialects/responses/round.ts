/**
 * Puts the events of one responses stream together: items with their text and calls, how the response ended. Clients put
 * calls together from different events (fragments, their end, the item), so all of them must say the same.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import { asText, canonicalJson, isObject, type JsonObject, type JsonValue } from '../../../core/json.ts'
import type { ResponseView, ToolCallView } from '../../dialect.ts'
import { isAbsent, malformed, objectsOf } from '../../request/fields.ts'
import { bytesOf } from '../round-text.ts'
import { asUpstreamError } from '../upstream-fields.ts'
import { assistantOf, isCut, responsesFinish } from './answer.ts'
import { isClientCall, readCall } from './calls.ts'
import { answeredItems, isVendorRun } from './items.ts'
import { readResponsesUsage } from './usage.ts'

/** Items one response may have. */
const maxItems = 4096

/** Fields that say which tool a call is for and what with, of every kind of call. */
const saidOfCalls = ['type', 'name', 'namespace', 'arguments', 'input', 'action', 'actions', 'operation', 'execution', 'environment']

interface Item {
  readonly index: number
  native: JsonObject
  /** What was said of it in fragments: words by the number of their part, arguments under 0. */
  readonly texts: Map<number, string>
  /** The type its words have. */
  part: 'output_text' | 'refusal'
  isDone: boolean
}

export interface MadeCall {
  readonly index: number
  readonly view: ToolCallView
  readonly native: JsonObject
}

export class ResponsesRound {
  /** What the response says of itself, as it was told last. */
  response: JsonObject | undefined
  isEnded = false
  readonly #items = new Map<number, Item>()

  get id(): string {
    return asText(this.response?.id)
  }

  get model(): string {
    return asText(this.response?.model)
  }

  /** `response.output_item.added`. True when the item is a call that the client would run. */
  add(index: number, native: JsonObject): boolean {
    if (this.#items.has(index)) throw malformed('its stream begins an item twice')
    if (this.#items.size >= maxItems) throw malformed(`its stream has more than ${maxItems} items`)
    this.#items.set(index, { index, native, texts: new Map(), part: 'output_text', isDone: false })
    return isClientCall(native)
  }

  has(index: number): boolean {
    return this.#items.has(index)
  }

  /** Whether an item shows that a tool of the vendor's has run. */
  get vendorRan(): boolean {
    return [...this.#items.values()].some(({ native }) => isVendorRun(native))
  }

  /** Text or a refusal of a message. */
  addText(index: number, part: number, kind: Item['part'], delta: JsonValue | undefined): void {
    const item = this.#open(index)
    item.part = kind
    item.texts.set(part, (item.texts.get(part) ?? '') + requireText(delta))
  }

  /** Adds to the words of a message that has ended; false when its last part is no text. */
  extend(index: number, text: string): boolean {
    const item = this.#items.get(index)
    const content = objectsOf(item?.native.content)
    const last = content.at(-1)
    if (item === undefined || last?.type !== 'output_text') return false
    item.native = { ...item.native, content: [...content.slice(0, -1), { ...last, text: asText(last.text) + text }] }
    return true
  }

  isMessage(index: number): boolean {
    return this.#items.get(index)?.native.type === 'message'
  }

  /** An item as it was told, and as it was extended. */
  native(index: number): JsonObject | undefined {
    return this.#items.get(index)?.native
  }

  /** A fragment of what a call is made with. */
  addArguments(index: number, delta: JsonValue | undefined): void {
    const item = this.#openCall(index)
    item.texts.set(0, (item.texts.get(0) ?? '') + requireText(delta))
  }

  /** What a call is made with, whole. */
  checkArguments(index: number, whole: JsonValue | undefined): void {
    const { texts } = this.#openCall(index)
    const said = texts.get(0)
    if (said !== undefined && said !== requireText(whole)) throw malformed('a tool call of its stream is told in two ways')
    texts.set(0, requireText(whole))
  }

  /** `response.output_item.done`. */
  finish(index: number, native: JsonObject): void {
    const item = this.#open(index)
    const begun = item.native
    if (isClientCall(begun) !== isClientCall(native)) throw malformed('an item of its stream ends as something else')
    if (isClientCall(native)) {
      for (const field of ['type', 'call_id', 'name', 'namespace'])
        if (!isAbsent(begun[field]) && begun[field] !== '' && begun[field] !== native[field])
          throw malformed('a tool call of its stream is told in two ways')
      const said = item.texts.get(0)
      const whole = native.type === 'function_call' ? native.arguments : native.type === 'custom_tool_call' ? native.input : undefined
      if (said !== undefined && whole !== undefined && said !== whole) throw malformed('a tool call of its stream is told in two ways')
    }
    item.native = native
    item.isDone = true
  }

  /** The last event of the stream. Its items must be those that came before, as far as they are calls. */
  end(response: JsonObject): void {
    this.response = response
    this.isEnded = true
    for (const native of answeredItems(response.output)) {
      if (!isClientCall(native)) continue
      const made = [...this.#items.values()].find((item) => item.isDone && item.native.call_id === native.call_id)?.native
      const isSame = saidOfCalls.every((field) => canonicalJson(made?.[field] ?? null) === canonicalJson(native[field] ?? null))
      if (made === undefined ? response.status !== 'incomplete' : !isSame)
        throw malformed('the end of its stream tells of a tool call in another way')
    }
  }

  get usage(): UsageRecord | undefined {
    return readResponsesUsage(this.response?.usage)
  }

  finishReason(): ResponseView['finish'] {
    return responsesFinish(this.response ?? {}, this.items())
  }

  /** Bytes of what was said, thought and called so far; undefined once it has come to its end. */
  told(): number | undefined {
    if (this.isEnded) return undefined
    return bytesOf([...this.#items.values()].flatMap(saidOf))
  }

  /** Items before the one with index `before` that have not ended go no further. They are as they are told of then. */
  breakOff(before: number): readonly { readonly index: number; readonly item: JsonObject }[] {
    return this.#sorted()
      .filter(({ index, isDone }) => index < before && !isDone)
      .map((item) => {
        item.native = { ...finished(item), status: 'incomplete' }
        item.isDone = true
        return { index: item.index, item: item.native }
      })
  }

  /** True when the stream ended as the dialect ends it. What a limit broke off may stay open. */
  isComplete(): boolean {
    return this.isEnded && (this.response?.status === 'incomplete' || [...this.#items.values()].every(({ isDone }) => isDone))
  }

  /** The calls in order. Throws `upstream.malformed` when one cannot be told from another. */
  calls(): readonly MadeCall[] {
    const ids = new Set<string>()
    return this.#sorted()
      .filter(({ native }) => isClientCall(native))
      .flatMap((item) => {
        if (!item.isDone) return []
        const view = asUpstreamError(() => readCall(item.native, `output[${item.index}]`))
        if (ids.has(view.id)) throw malformed('two tool calls of its stream have the same id')
        ids.add(view.id)
        return [{ index: item.index, view, native: item.native }]
      })
  }

  /** Indexes of calls that were being written when the response was broken off. */
  cutCalls(): readonly number[] {
    if (this.response?.status !== 'incomplete') return []
    const whole = new Set(
      this.calls()
        .filter(({ native, view }) => !isCut(this.response ?? {}, native, view))
        .map(({ index }) => index),
    )
    return this.#sorted()
      .filter(({ native, index }) => isClientCall(native) && !whole.has(index))
      .map(({ index }) => index)
  }

  /** The items as the history would carry them, before the one with index `before` and without those in `left`. */
  items(before = Infinity, left: readonly number[] = []): JsonObject[] {
    return this.#sorted()
      .filter(({ index }) => index < before && !left.includes(index))
      .map(finished)
  }

  assistantMessage(): JsonObject {
    return assistantOf(this.items(Infinity, this.cutCalls()))
  }

  #sorted(): Item[] {
    return [...this.#items.values()].sort((a, b) => a.index - b.index)
  }

  #openCall(index: number): Item {
    const item = this.#open(index)
    if (!isClientCall(item.native)) throw malformed('its stream carries arguments of an item that is no call')
    return item
  }

  #open(index: number): Item {
    const item = this.#items.get(index)
    if (item === undefined || item.isDone) throw malformed('its stream adds to an item that is not open')
    return item
  }
}

/** What was said in an item: in fragments, or all at once. What the vendor's own tools gave back is none of it. */
function saidOf({ native, texts }: Item): readonly string[] {
  if (texts.size > 0) return [...texts.values()]
  return isClientCall(native) || native.type === 'message' ? [JSON.stringify(native.content ?? native.arguments ?? native.input ?? '')] : []
}

/** An item; one that has not ended says what was said of it so far. */
function finished({ native, texts, isDone, part }: Item): JsonObject {
  if (isDone || native.type !== 'message' || texts.size === 0) return native
  const field = part === 'refusal' ? 'refusal' : 'text'
  const more: JsonObject = part === 'refusal' ? {} : { annotations: [] }
  return { ...native, content: [...texts.values()].map((text): JsonObject => ({ type: part, [field]: text, ...more })) }
}

/** Text that somebody else would read as text too. */
function requireText(value: JsonValue | undefined): string {
  if (typeof value !== 'string') throw malformed('a fragment of its stream is not text')
  return value
}

/** The response an event carries. */
export function responseOf(payload: JsonObject): JsonObject {
  return isObject(payload.response) ? payload.response : {}
}
