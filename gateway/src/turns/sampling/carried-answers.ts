/** Answers of a model that wait for those of the client: the client carries them, sealed, with the state of its request. */
import { isObject, type JsonObject } from '../../core/json.ts'
import type { AskAnswer } from '../../tools/asks.ts'
import type { Resumed } from '../../tools/catalogue.ts'
import { createSealer, type Sealer } from '../../tools/seal.ts'

export interface Answered {
  /** Of the request, as its client would carry it without them; it says whose request it is, and which. */
  readonly state: string
  readonly answers: ReadonlyMap<string, AskAnswer>
  /** How often a model has been asked so far. */
  readonly count: number
}

/** What a state begins with that carries answers; no other begins so. */
const mark = 's.'
const longest = 512 * 1024

const sealers = new WeakMap<Buffer, Sealer>()

function sealerOf(secret: Buffer): Sealer {
  let sealer = sealers.get(secret)
  if (sealer === undefined) sealers.set(secret, (sealer = createSealer(secret, 'sampled', longest)))
  return sealer
}

/** Undefined when it is more than a client can be given to carry. */
export function carried(secret: Buffer, { state, answers, count }: Answered): string | undefined {
  const token = sealerOf(secret).seal({ s: state, n: count, a: Object.fromEntries(answers) as unknown as JsonObject }, [])
  return token.length > longest ? undefined : mark + token
}

/** The state of the request, of what its client carries. */
export function requestState(secret: Buffer, state: string): string {
  return opened(secret, state)?.state ?? state
}

/** What a request comes back with, and what a model had answered before; undefined when none had been asked. */
export function answeredBefore(
  secret: Buffer,
  resumed: Resumed | undefined,
): { readonly resumed: Resumed; readonly count: number } | undefined {
  const before = resumed?.state === undefined ? undefined : opened(secret, resumed.state)
  if (resumed === undefined || before === undefined) return undefined
  return { resumed: { state: before.state, answers: new Map([...resumed.answers, ...before.answers]) }, count: before.count }
}

function opened(secret: Buffer, state: string): Answered | undefined {
  if (!state.startsWith(mark)) return undefined
  const payload = sealerOf(secret).open(state.slice(mark.length), [])
  if (payload === undefined || typeof payload.s !== 'string' || typeof payload.n !== 'number' || !isObject(payload.a)) return undefined
  return { state: payload.s, count: payload.n, answers: new Map(Object.entries(payload.a) as unknown as [string, AskAnswer][]) }
}
