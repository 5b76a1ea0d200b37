/**
 * Keeps the events of an answer that is made in the background, so that whoever lost the connection has the same ones with
 * the same numbers again, wherever it comes back: in segments that are packed and sealed, the last of which is written again
 * and again while it grows. How the answer ends is not among them: that is the answer itself.
 */
import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'
import type { StateStore } from '../../state/state-store.ts'
import type { KeptStream } from '../../state/state-values.ts'
import { callStateOf } from '../state-of-call.ts'
import { expiryOf, type Keeper } from './keeper.ts'
import { seal, unseal } from './sealing.ts'

/** A segment, as it is now. */
export interface Segment {
  readonly index: number
  /** Number of its first event. */
  readonly first: number
  readonly events: readonly string[]
  /** Nothing comes after it. */
  readonly isLast?: boolean
}

/** Who follows a stream hears that there is more of it. */
export function streamTopicOf(key: string): string {
  return `stream|${key}`
}

/** `events`: those that are there before anything is made. */
export async function beginStream(keeper: Keeper, key: string, events: readonly string[]): Promise<void> {
  const { services } = keeper
  const packed = await pack(Buffer.from(events.join('')))
  const expires = longExpiryOf(keeper)
  await services.state.put('events', segmentKey(key, 0), seal(services.secret, segmentKey(key, 0), packed), expires)
  await services.state.put('stream', key, { firsts: [0], count: events.length, state: 'open' }, expires)
}

export async function findStream({ services }: Keeper, key: string): Promise<KeptStream | undefined> {
  return services.state.get('stream', key)
}

/**
 * Keeps a segment in the place of what was kept of it before. `bytesBefore`: size of the segments before it. Resolves with
 * whether more of it is kept, and the size of the segment.
 */
export async function keepSegment(
  keeper: Keeper,
  key: string,
  { index, first, events, isLast = false }: Segment,
  bytesBefore: number,
): Promise<{ readonly isKept: boolean; readonly size: number }> {
  const { services, snapshot } = keeper
  const packed = await pack(Buffer.from(events.join('')))
  const isTooLarge = bytesBefore + packed.length > snapshot.settings.responses.max_bytes
  const expires = longExpiryOf(keeper)
  const segment = segmentKey(key, index)
  if (!isTooLarge) await services.state.put('events', segment, seal(services.secret, segment, packed), expires)
  const { stream, isOpen } = await services.state.change('stream', key, (before): Changed => {
    if (before?.state !== 'open') return { value: before, expires, result: { stream: before, isOpen: false } }
    const count = first + events.length
    const next: KeptStream = isTooLarge
      ? { firsts: [], count, state: 'cut' }
      : { firsts: [...before.firsts.slice(0, index), first], count, state: isLast ? 'whole' : 'open' }
    return { value: next, expires, result: { stream: next, isOpen: true }, announce: streamTopicOf(key) }
  })
  const isKept = stream?.state === 'open' || stream?.state === 'whole' || stream?.state === 'interrupted'
  if (!isKept) await forgetSegments(services.state, key, index + 1)
  await callStateOf(services)?.settle()
  return { isKept: isOpen && isKept, size: packed.length }
}

interface Changed {
  readonly value: KeptStream | undefined
  readonly expires: number
  readonly result: { readonly stream: KeptStream | undefined; readonly isOpen: boolean }
  readonly announce?: string
}

/** Nothing more comes of a stream whose maker is gone. */
export async function endStream(keeper: Keeper, key: string): Promise<void> {
  await keeper.services.state.change('stream', key, (before) => {
    const value: KeptStream | undefined = before?.state === 'open' ? { ...before, state: 'interrupted' } : before
    return { value, expires: longExpiryOf(keeper), result: undefined, announce: streamTopicOf(key) }
  })
}

/** Keeps it as long again, all but the segment that is being filled: whoever fills it does that. */
export async function renewStream(keeper: Keeper, key: string): Promise<void> {
  const { state } = keeper.services
  const expires = longExpiryOf(keeper)
  const stream = await state.change('stream', key, (before) => {
    return { value: before === undefined ? undefined : { ...before }, expires, result: before }
  })
  for (const index of stream?.firsts.slice(0, -1).keys() ?? []) {
    const segment = segmentKey(key, index)
    const sealed = await state.get('events', segment)
    if (sealed !== undefined) await state.put('events', segment, sealed, expires)
  }
}

/** The events from this number on that stand in the same segment, one after the other; undefined when they are not there. */
export async function keptEvents(
  { services }: Keeper,
  key: string,
  { firsts, count }: KeptStream,
  from: number,
): Promise<readonly string[] | undefined> {
  const index = firsts.findLastIndex((first) => first <= from)
  const segment = segmentKey(key, index)
  const sealed = await services.state.get('events', segment)
  const packed = sealed === undefined ? undefined : unseal(services.secret, segment, sealed)
  if (packed === undefined) return undefined
  const events = eventsOf((await unpack(packed)).toString('utf8'))
  const first = firsts[index] ?? 0
  // What was added to it when its stream had an end does not count.
  return events.slice(from - first, count - first)
}

/** An event is a text that ends with a blank line and has no other. */
function eventsOf(text: string): readonly string[] {
  return text.match(/[^]+?\n\n/g) ?? []
}

/** Forgets how an answer was told. */
export async function forgetStream(state: StateStore, key: string): Promise<void> {
  const stream = await state.get('stream', key)
  if (stream === undefined) return
  await state.change('stream', key, () => ({ value: undefined, expires: 0, result: undefined, announce: streamTopicOf(key) }))
  await forgetSegments(state, key, stream.firsts.length)
}

async function forgetSegments(state: StateStore, key: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1)
    await state.change('events', segmentKey(key, index), () => ({ value: undefined, expires: 0, result: undefined, mayWait: true }))
}

/** What comes first must live as long as an answer whose making takes its time. */
function longExpiryOf(keeper: Keeper): number {
  const expires = expiryOf(keeper)
  return expires + (expires - keeper.services.clock.now())
}

function segmentKey(key: string, index: number): string {
  return `${key}|${index}`
}

const pack = promisify(deflateRaw) as (bytes: Buffer) => Promise<Buffer>
const unpack = promisify(inflateRaw) as (bytes: Buffer) => Promise<Buffer>
