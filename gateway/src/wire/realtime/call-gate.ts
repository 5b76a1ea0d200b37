/**
 * Stands in the way of what a realtime session says to its client: everything that belongs to a function call is kept until
 * its arguments are whole, so that it can be ruled on; everything else passes as it came. Every place where a client may
 * read a call (fragments, the whole arguments, the item, the finished response) must say the same.
 */
import { sha256 } from '../../core/hash.ts'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { parseArguments } from '../request/call-arguments.ts'
import { malformed, objectsOf } from '../request/fields.ts'
import type { ToolCallView } from '../dialect.ts'

/** A call whose arguments are whole. */
export interface WholeCall {
  readonly itemId: string
  readonly view: ToolCallView
  readonly native: JsonObject
}

/** What becomes of an event. `hold`: it waits, or will never be seen. `decide`: a call is whole now; say what becomes of it. */
export type Passage = { readonly kind: 'pass' } | { readonly kind: 'hold' } | { readonly kind: 'decide'; readonly call: WholeCall }

interface KnownCall {
  state: 'held' | 'released' | 'dropped'
  callId: string | undefined
  name: string | undefined
  /** Fragments so far. */
  fragments: string
  /** SHA-256 of the arguments, once somebody has said them whole. */
  args: string | undefined
  frames: string[]
  previous: string | null
}

const pass: Passage = { kind: 'pass' }
const hold: Passage = { kind: 'hold' }

/** Calls of one session that are remembered, released or not. */
const mostCalls = 10_000

export class CallGate {
  readonly #calls = new Map<string, KnownCall>()
  /** Items of the gateway's own, and what they stand behind. */
  readonly #own = new Map<string, string | null>()
  readonly #mostHeld: number
  #held = 0

  /** `mostHeld`: bytes that may wait. */
  constructor(mostHeld: number) {
    this.#mostHeld = mostHeld
  }

  /** Throws `upstream.malformed` for what nobody can rule on. */
  take(event: JsonObject, text: string): Passage {
    const item = isObject(event.item) ? event.item : undefined
    if (item !== undefined && typeof item.id === 'string' && this.#own.has(item.id)) {
      this.#own.set(item.id, previousOf(event) ?? this.#own.get(item.id) ?? null)
      return hold
    }
    if (item !== undefined && isVendorRun(item)) throw malformed('a tool of the vendor has run that nobody had offered')
    if (item?.type === 'function_call') return this.#takeItem(event, item, text)
    const { type, item_id: itemId } = event
    if (type === 'response.function_call_arguments.delta' || type === 'response.function_call_arguments.done')
      return this.#takeArguments(event, text)
    if (typeof itemId === 'string' && this.isHidden(itemId)) return hold
    if (typeof type !== 'string') throw malformed('an event has no type')
    if (type.startsWith('response.mcp_') || type.startsWith('mcp_')) throw malformed('a tool of the vendor has run that nobody had offered')
    if (!isKnown(type) && mentionsCall(event)) throw malformed('a call came in an event that is not known')
    return pass
  }

  /** The frames of a call that may go out. */
  release(itemId: string): readonly string[] {
    return this.#settle(itemId, 'released')
  }

  /** An answer that begins has made no call yet. */
  begin(response: JsonObject): void {
    if (mentionsCall(response.output)) throw malformed('an answer begins with a call')
  }

  drop(itemId: string): void {
    this.#settle(itemId, 'dropped')
  }

  /** A call that the client itself puts into the conversation: it is told of it again, and of nothing else under this id. */
  noteClients(itemId: string, { id, name, argsText }: ToolCallView): void {
    const call = this.#known(itemId)
    if (call.state === 'held' && call.callId === undefined)
      Object.assign(call, { state: 'released', callId: id, name, args: sha256(argsText) })
  }

  /** No answer is under way: what was not whole by now never will be. */
  dropUnfinished(): void {
    for (const [id, { state }] of this.#calls) if (state === 'held') this.drop(id)
  }

  /** An item that the gateway puts into the conversation: its client hears nothing of it. */
  noteOwn(itemId: string): void {
    this.#own.set(itemId, null)
  }

  /** Whether the client must not learn of an item. */
  isHidden(itemId: string): boolean {
    const call = this.#calls.get(itemId)
    return this.#own.has(itemId) || (call !== undefined && call.state !== 'released')
  }

  /** The calls of a finished response that have not been ruled on. One that was cut off is dropped here and now. */
  undecided(response: JsonObject): readonly WholeCall[] {
    const calls: WholeCall[] = []
    for (const item of objectsOf(response.output)) {
      if (isVendorRun(item)) throw malformed('a tool of the vendor has run that nobody had offered')
      if (item.type !== 'function_call') continue
      const id = idOf(item)
      const call = this.#known(id)
      this.#read(call, item)
      if (call.state !== 'held') continue
      if (isWhole(item)) calls.push(this.#whole(id, call, item))
      else this.drop(id)
    }
    return calls
  }

  /** A finished response with the released calls only; the same object when it has no other. */
  shown(event: JsonObject): JsonObject {
    const { response } = event
    if (!isObject(response) || !Array.isArray(response.output)) return event
    const output = response.output.filter((item) => !isObject(item) || item.type !== 'function_call' || !this.isHidden(idOf(item)))
    return output.length === response.output.length ? event : { ...event, response: { ...response, output } }
  }

  /** The event as it may go out: an item that the client knows nothing of is not named as the one before another. */
  renamed(event: JsonObject): JsonObject {
    let previous = previousOf(event)
    if (previous === undefined || previous === null || !this.isHidden(previous)) return event
    for (let steps = 0; steps < mostCalls && previous !== null && this.isHidden(previous); steps += 1)
      previous = this.#own.get(previous) ?? this.#calls.get(previous)?.previous ?? null
    return { ...event, previous_item_id: previous }
  }

  #takeItem(event: JsonObject, item: JsonObject, text: string): Passage {
    const id = idOf(item)
    const call = this.#known(id)
    const previous = previousOf(event)
    if (previous !== undefined) call.previous = previous
    // An item that has only begun says nothing of its arguments.
    const isDone = event.type === 'response.output_item.done'
    if (isDone || item.status === 'completed') this.#read(call, item)
    else this.#name(call, item)
    if (call.state === 'released') return pass
    if (call.state === 'dropped') return hold
    this.#keep(call, text)
    // A call that was cut off is none; the finished response may still say it whole, and never has.
    if (!isDone) return hold
    if (isWhole(item)) return { kind: 'decide', call: this.#whole(id, call, item) }
    this.drop(id)
    return hold
  }

  #takeArguments(event: JsonObject, text: string): Passage {
    const { item_id: id } = event
    if (typeof id !== 'string' || id === '') throw malformed('arguments of a call name no item')
    const call = this.#known(id)
    this.#name(call, event)
    if (typeof event.delta === 'string') {
      if (call.state === 'released') throw malformed('a call went on after it was whole')
      if (call.state === 'held') call.fragments += event.delta
    } else this.#read(call, event)
    if (call.state === 'released') return pass
    if (call.state === 'held') this.#keep(call, text)
    return hold
  }

  #known(id: string): KnownCall {
    let call = this.#calls.get(id)
    if (call !== undefined) return call
    if (this.#calls.size >= mostCalls) throw malformed(`more than ${mostCalls} calls in one session`)
    call = { state: 'held', callId: undefined, name: undefined, fragments: '', args: undefined, frames: [], previous: null }
    this.#calls.set(id, call)
    return call
  }

  #name(call: KnownCall, said: JsonObject): void {
    call.callId = same(call.callId, said.call_id, 'id')
    call.name = same(call.name, said.name, 'name')
  }

  #read(call: KnownCall, said: JsonObject): void {
    this.#name(call, said)
    if (call.state === 'dropped') return
    if (typeof said.arguments !== 'string') throw malformed('a call has no arguments')
    const args = sha256(said.arguments)
    if ((call.args !== undefined && call.args !== args) || (call.fragments !== '' && call.fragments !== said.arguments))
      throw malformed('a call was told with two arguments')
    call.args = args
  }

  #whole(itemId: string, { callId, name }: KnownCall, native: JsonObject): WholeCall {
    const { arguments: args } = native
    if (callId === undefined || name === undefined || typeof args !== 'string') throw malformed('a call has no name or no id')
    return { itemId, view: { id: callId, name, args: parseArguments(args), argsText: args }, native }
  }

  #keep(call: KnownCall, text: string): void {
    this.#held += text.length
    if (this.#held > this.#mostHeld) throw malformed(`more than ${this.#mostHeld} bytes of calls wait`)
    call.frames.push(text)
  }

  #settle(itemId: string, state: 'released' | 'dropped'): readonly string[] {
    const call = this.#known(itemId)
    const { frames } = call
    for (const frame of frames) this.#held -= frame.length
    call.frames = []
    call.fragments = ''
    call.state = state
    return frames
  }
}

function same(known: string | undefined, said: JsonValue | undefined, what: string): string | undefined {
  if (said === undefined || said === null || said === '') return known
  if (typeof said !== 'string' || (known !== undefined && known !== said)) throw malformed(`a call has two forms of its ${what}`)
  return said
}

function idOf(item: JsonObject): string {
  if (typeof item.id === 'string' && item.id !== '') return item.id
  throw malformed('a call has no item id')
}

function previousOf({ previous_item_id: id }: JsonObject): string | null | undefined {
  return typeof id === 'string' || id === null ? id : undefined
}

/** Servers that follow the vendor may leave the status out. */
function isWhole({ status }: JsonObject): boolean {
  return status === undefined || status === null || status === 'completed'
}

/** Whatever else is a call, or came of one, was made where nobody here could decide it. */
function isVendorRun({ type }: JsonObject): boolean {
  return typeof type === 'string' && type !== 'function_call' && (type.startsWith('mcp_') || type.endsWith('_call'))
}

/** Events whose words may be anything; an event of another type is looked through for a call. */
function isKnown(type: string): boolean {
  return /^(?:response\.(?:created|done|output_|audio|text|content_part)|conversation\.|input_audio|output_audio|rate_limits|session\.|error$)/.test(
    type,
  )
}

function mentionsCall(value: JsonValue | undefined, depth = 0): boolean {
  if (depth > 64 || typeof value !== 'object' || value === null) return depth > 64
  if (Array.isArray(value)) return value.some((item) => mentionsCall(item, depth + 1))
  return (value as JsonObject).type === 'function_call' || Object.values(value).some((item) => mentionsCall(item, depth + 1))
}
