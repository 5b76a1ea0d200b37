/**
 * How much is kept for one caller: answers stand on a shelf in segments, and when there are too many or they are too large
 * together, the oldest segment goes. A segment is small, so that adding to it is cheap however much there is.
 */
import type { StateStore } from '../../state/state-store.ts'
import type { Shelf, ShelfSegment } from '../../state/state-values.ts'
import { expiryOf, type Keeper } from './keeper.ts'
import { forgetStream } from './kept-streams.ts'

/** A segment takes no more than this part of all that may be kept, and no more answers than this. */
const partOfAll = 1 / 16
const mostPerSegment = 64

/** Notes an answer of the caller, and forgets the oldest ones that are too many with it. Resolves with the segment it stands in. */
export async function putOnShelf(keeper: Keeper, owner: string, key: string, bytes: number): Promise<number> {
  const { services, snapshot } = keeper
  const { state } = services
  const { max_kept: most, max_kept_bytes: mostBytes } = snapshot.settings.responses
  const now = services.clock.now()
  const expires = expiryOf(keeper)
  const { full, dropped, number } = await state.change('shelf', owner, (before) => {
    const { segments, last, full: filled } = added(before, { key, bytes, now, most, mostBytes })
    const living = segments.filter(({ at }, index) => index === segments.length - 1 || at + (expires - now) > now)
    const kept = newest(living, most, mostBytes)
    const gone = living.slice(0, living.length - kept.length).map(({ number }) => number)
    return { value: { segments: kept, last }, expires, result: { full: filled, dropped: gone, number: segments.at(-1)?.number ?? 0 } }
  })
  if (full !== undefined) await state.put('shelved', segmentKey(owner, full.number), full.keys, expires)
  for (const old of dropped) await clear(state, owner, old)
  return number
}

interface Added {
  readonly key: string
  readonly bytes: number
  readonly now: number
  readonly most: number
  readonly mostBytes: number
}

/** The shelf with one more answer. `full`: the segment that is closed with it. */
function added(before: Shelf | undefined, { key, bytes, now, most, mostBytes }: Added) {
  const { segments = [], last = [] } = before ?? {}
  const open = segments.at(-1)
  const perSegment = Math.min(mostPerSegment, most * partOfAll)
  if (open !== undefined && open.count < perSegment && open.bytes + bytes <= mostBytes * partOfAll) {
    const longer: ShelfSegment = { ...open, count: open.count + 1, bytes: open.bytes + bytes, at: now }
    return { segments: [...segments.slice(0, -1), longer], last: [...last, key], full: undefined }
  }
  const fresh: ShelfSegment = { number: (open?.number ?? -1) + 1, count: 1, bytes, at: now }
  return { segments: [...segments, fresh], last: [key], full: open === undefined ? undefined : { number: open.number, keys: last } }
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

async function clear(state: StateStore, owner: string, number: number): Promise<void> {
  const segment = segmentKey(owner, number)
  const gone = { value: undefined, expires: 0, result: undefined, mayWait: true } as const
  const keys = (await state.get('shelved', segment)) ?? []
  // Seen together, so that they can go together: what was not seen counts as not there.
  const answers = await Promise.all(keys.map(async (key) => state.get('response', key)))
  for (const [at, key] of keys.entries()) {
    if (answers[at]?.isStreamed === true) await forgetStream(state, key)
    await state.change('response', key, (kept) => {
      // What was used since stands in another segment.
      return (kept?.segment ?? number) === number ? gone : { ...gone, value: kept }
    })
  }
  await state.change('shelved', segment, () => gone)
}
