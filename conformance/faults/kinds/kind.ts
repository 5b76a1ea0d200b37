/** A kind of fault in answers: what is odd, in which dialects a vendor can send it and with which bytes, and what an honest client must see. */
import type { Json } from '../../harness/json.ts'
import type { ModelAnswer } from '../../harness/model-answer.ts'
import type { Wire } from '../breaking-wires.ts'
import type { Heard } from './clients.ts'
import type { VendorEvent } from './vendor-events.ts'

export type Streamed = (events: readonly VendorEvent[]) => readonly VendorEvent[]

export interface Oddity {
  /** What is odd of a stream. Without it the kind is not tried streamed. */
  readonly stream?: Streamed
  /** What is odd of a whole answer. */
  readonly whole?: (body: Json) => Json
}

/**
 * What clients hear beside what the answer says; or that they are told of an error, in these words; or that a client of the
 * vendor's own dialect gets its bytes, whatever that client makes of them.
 */
export type Expected = (Partial<Heard> & { readonly error?: never }) | { readonly error: RegExp }
export type Outcome = Expected | 'as sent'

export interface AnswerKind {
  readonly name: string
  /** What the model says; default: words, and a call. */
  readonly answer?: ModelAnswer
  readonly odd: Readonly<Partial<Record<Wire, Oddity>>>
  /** Default: what the answer says. */
  readonly heard?: Outcome | ((isSame: boolean) => Outcome)
}

export const usual: ModelAnswer = {
  text: 'The notes say: buy milk. 🌤️',
  calls: [
    { id: 'call_time', name: 'get_time', args: {} },
    { id: 'call_notes', name: 'read_notes', args: { topic: 'Wäsche' } },
  ],
}

/** The same without calls. */
export const words: ModelAnswer = { text: 'The notes say: buy milk. 🌤️' }

/** A deep copy with every object changed by `change`. */
export function changed(value: unknown, change: (object: Json) => Json): Json {
  return walk(value, change) as Json
}

function walk(value: unknown, change: (object: Json) => Json): unknown {
  if (Array.isArray(value)) return value.map((item) => walk(item, change))
  if (typeof value !== 'object' || value === null) return value
  return change(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, change)])))
}

/** Every object of every event changed; words stay. */
export function everywhere(change: (object: Json) => Json): Required<Oddity> {
  return {
    stream: (events) =>
      events.map(({ type, data }) => ({
        ...(type === undefined ? {} : { type }),
        data: typeof data === 'string' ? data : changed(data, change),
      })),
    whole: (body) => changed(body, change),
  }
}

/** One event more, before the event at this place (from the end when negative). */
export function inserted(at: number, ...more: VendorEvent[]): Oddity {
  return { stream: (events) => events.toSpliced(at, 0, ...more) }
}
