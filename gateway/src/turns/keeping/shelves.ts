/**
 * How much is kept for one caller: answers stand on a shelf in segments, and when there are too many or they are too large
 * together, the oldest segment goes. A segment is small, so that adding to it is cheap however much there is.
 */
import type { StateStore } from '../../state/state-store.ts'
import { push } from '../../state/state-operations.ts'
import type { ShelfSegment } from '../../state/state-values.ts'
import { expiryOf, type Keeper } from './keeper.ts'

const perSegment = 32
/** A segment takes no more than this part of all that may be kept. */
const partOfAll = 1 / 16

/** Notes an answer of the caller, and forgets the oldest ones that are too many with it. */
export async function putOnShelf(keeper: Keeper, owner: string, key: string, bytes: number): Promise<void> {
  const { services, snapshot } = keeper
  const { state } = services
  const { max_kept: most, max_kept_bytes: mostBytes } = snapshot.settings.responses
  const now = services.clock.now()
  const expires = expiryOf(keeper)
  const { number, dropped } = await state.change('shelf', owner, (before) => {
    const all = before?.segments ?? []
    const living = all.filter(({ at }) => at + (expires - now) > now)
    const last = living.at(-1)
    const goesOn = last !== undefined && last.count < perSegment && last.bytes + bytes <= mostBytes * partOfAll
    const { number, ...held } = goesOn ? last : { number: (all.at(-1)?.number ?? -1) + 1, count: 0, bytes: 0 }
    const added: ShelfSegment = { number, count: held.count + 1, bytes: held.bytes + bytes, at: now }
    const segments = [...(goesOn ? living.slice(0, -1) : living), added]
    const kept = newest(segments, most, mostBytes)
    return {
      value: { segments: kept },
      expires,
      result: { number, dropped: segments.slice(0, segments.length - kept.length).map((one) => one.number) },
    }
  })
  await push(state, 'shelved', segmentKey(owner, number), key, { most: perSegment * 2, expires })
  for (const old of dropped) await clear(state, segmentKey(owner, old))
}

/** The segments that may stay: at least the last one. */
function newest(segments: readonly ShelfSegment[], most: number, mostBytes: number): readonly ShelfSegment[] {
  let count = 0
  let bytes = 0
  let from = segments.length
  for (; from > 0; from -= 1) {
    const segment = segments[from - 1] as ShelfSegment
    count += segment.count
    bytes += segment.bytes
    if (from < segments.length && (count > most || bytes > mostBytes)) break
  }
  return segments.slice(from)
}

function segmentKey(owner: string, number: number): string {
  return `${owner}|${number}`
}

async function clear(state: StateStore, segment: string): Promise<void> {
  const gone = (): { value: undefined; expires: number; result: undefined; mayWait: true } => ({
    value: undefined,
    expires: 0,
    result: undefined,
    mayWait: true,
  })
  const keys = (await state.get('shelved', segment)) ?? []
  // Seen together, so that they can go together: what was not seen counts as not there.
  await Promise.all(keys.map((key) => state.get('response', key)))
  for (const key of keys) await state.change('response', key, gone)
  await state.change('shelved', segment, gone)
}
