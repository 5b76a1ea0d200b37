/**
 * Everybody who follows a log, each at a place of their own in it. Nothing is kept for anybody: whoever does not take what they were
 * sent is read up for later, from the log, and told what is left out where that would be too much. Those at the same place are read
 * for together, so that a record is read and looked at once however many follow.
 */
import { asTurnwardError } from '../../core/error.ts'
import { findRecords } from '../reading/finding-records.ts'
import { matches } from '../reading/record-filter.ts'
import type { ReadingPlace } from '../log-place.ts'
import type { StoredRecord } from '../stored-record.ts'
import { beginning, decisions, gap, type LiveGap, type LiveRecord, liveRecord, place, storedText } from './live-events.ts'
import type { Followed } from './live-protocol.ts'
import { isIn, type LogPosition, seenOf, sizeOf, type Stretch, stretchesTo } from './log-position.ts'
import { type LogSource, mostText } from './log-source.ts'

/** Records that are read at a time. */
const mostRead = 500
/** How far behind the end somebody may be before the rest is left out. */
export const mostBehind = 20_000
/** How many records are looked through for the earlier ones. */
const mostEarlier = 5000
/** How often somebody is told where to go on for whom nothing comes. */
const placeMs = 5000

interface Follower {
  readonly followed: Followed
  position: LogPosition
  isReady: boolean
  /** When they were last told where they are (`performance.now`). */
  told: number
}

/** Records between two positions. */
interface Chunk {
  readonly records: readonly LiveRecord[]
  readonly gaps: readonly LiveGap[]
  readonly end: LogPosition
}

export interface FollowersParts {
  readonly place: ReadingPlace
  readonly source: LogSource
  /** Hands a listener a text. They are ready for the next when `ready` is called. */
  readonly send: (listener: number, text: string) => void
  /** For tests: `mostBehind` without. */
  readonly behind?: number
}

export class Followers {
  readonly #parts: FollowersParts
  readonly #followers = new Map<number, Follower>()
  #head: LogPosition | undefined

  constructor(parts: FollowersParts) {
    this.#parts = parts
  }

  get listeners(): readonly number[] {
    return [...this.#followers.keys()]
  }

  /** Rejects with `store.failed`. */
  async join(listener: number, followed: Followed): Promise<void> {
    const { from } = followed
    if (from !== undefined) await this.#parts.source.include(from)
    const head = await this.#look()
    const isHere = from !== undefined && isIn(head, from)
    const position = isHere ? from : head
    const other: LiveGap = { reason: 'other_log', count: null, writers: [] }
    const told = from === undefined ? await this.#earlier(followed, head) : isHere ? '' : gap(other)
    this.#followers.set(listener, { followed, position, isReady: false, told: performance.now() })
    this.#parts.send(listener, `${beginning(position)}${told}`)
  }

  leave(listener: number): void {
    this.#followers.delete(listener)
  }

  /** Returns whether there is more for this one already. */
  ready(listener: number): boolean {
    const follower = this.#followers.get(listener)
    if (follower === undefined) return false
    follower.isReady = true
    return follower.position !== this.#head
  }

  /** Sends everybody who is ready what comes next; resolves with whether there is more for one of them. Rejects with `store.failed`. */
  async step(): Promise<boolean> {
    const head = await this.#look()
    const chunks = new Map<LogPosition, Chunk>()
    for (const [listener, follower] of this.#followers) {
      if (!follower.isReady || follower.position === head) continue
      const stretches = stretchesTo(head, follower.position)
      const size = sizeOf(stretches)
      if (size > (this.#parts.behind ?? mostBehind)) {
        follower.position = head
        this.#send(listener, follower, `${gap({ reason: 'behind', count: size, writers: [...stretches] })}${place(head)}`)
        continue
      }
      let chunk = chunks.get(follower.position)
      if (chunk === undefined) {
        chunk = size === 0 ? { records: [], gaps: [], end: head } : await this.#read(follower.position, head, stretches)
        chunks.set(follower.position, chunk)
      }
      this.#deliver(listener, follower, chunk)
    }
    this.#forget(head)
    return [...this.#followers.values()].some(({ isReady, position }) => isReady && position !== head)
  }

  #deliver(listener: number, follower: Follower, { records, gaps, end }: Chunk): void {
    follower.position = end
    const { filter } = follower.followed
    const texts = records.filter(({ record }) => matches(record, filter)).map(({ text }) => text)
    if (texts.length > 0 || gaps.length > 0)
      this.#send(listener, follower, `${gaps.map(gap).join('')}${texts.length > 0 ? decisions(texts, end) : place(end)}`)
    else if (performance.now() - follower.told > placeMs) this.#send(listener, follower, place(end))
  }

  #send(listener: number, follower: Follower, text: string): void {
    follower.isReady = false
    follower.told = performance.now()
    this.#parts.send(listener, text)
  }

  /** The same object while the log ends at the same place: those who have got there are told apart by nothing else. */
  async #look(): Promise<LogPosition> {
    const head = await this.#parts.source.head()
    const before = this.#head
    const isSame =
      before !== undefined &&
      before.lastWriter === head.lastWriter &&
      before.seen.size === head.seen.size &&
      [...head.seen].every(([writer, seq]) => before.seen.get(writer) === seq)
    if (!isSame) this.#head = head
    return isSame ? before : head
  }

  async #read(position: LogPosition, head: LogPosition, stretches: readonly Stretch[]): Promise<Chunk> {
    const rows = await this.#parts.source.read(stretches, mostRead)
    const seen = new Map([...head.seen.keys()].map((writer) => [writer, seenOf(position, writer, head)]))
    const records: LiveRecord[] = []
    const gaps: LiveGap[] = []
    const leftOut = (reason: LiveGap['reason'], stretch: Stretch): void => {
      gaps.push({ reason, count: sizeOf([stretch]), writers: [stretch] })
    }
    let size = 0
    for (const row of rows) {
      if (size > mostText) break
      size += row.record.length
      const { writer = 0, seq } = row
      const expected = (seen.get(writer) ?? 0) + 1
      if (seq > expected) leftOut('missing', { writer, from: expected, to: seq - 1 })
      const record = liveRecord(row)
      if (record === undefined) leftOut('unreadable', { writer, from: seq, to: seq })
      else records.push(record)
      seen.set(writer, seq)
    }
    // What should be there and is not, to the very end, is passed over as well.
    if (rows.length === 0) for (const stretch of stretches) leftOut('missing', stretch)
    const isWhole = rows.length === 0 || [...head.seen].every(([writer, seq]) => seen.get(writer) === seq)
    return { records, gaps, end: isWhole ? head : { log: head.log, lastWriter: head.lastWriter, seen } }
  }

  /** The last of those before the end that match. */
  async #earlier({ filter, last }: Followed, head: LogPosition): Promise<string> {
    if (last === 0) return ''
    const records = await this.#found({ filter, last })
    if (records === undefined) return gap({ reason: 'unreadable', count: null, writers: [] })
    const before = records.filter(({ writer, seq }) => seq <= (head.seen.get(writer) ?? (writer <= head.lastWriter ? seq : 0)))
    return before.length === 0 ? '' : decisions(before.map(storedText).reverse(), head)
  }

  /** Undefined when one of them cannot be read, which keeps nobody from what comes. */
  async #found({ filter, last }: Pick<Followed, 'filter' | 'last'>): Promise<readonly StoredRecord[] | undefined> {
    try {
      return (await findRecords(this.#parts.place, { filter, limit: last, most: mostEarlier })).records
    } catch (error) {
      if (asTurnwardError(error).code === 'store.failed') return undefined
      throw error
    }
  }

  /** Chains that go on no more, and that everybody has read. */
  #forget(head: LogPosition): void {
    const followers = [...this.#followers.values()]
    for (const [writer, seq] of head.seen)
      if (followers.every(({ position }) => seenOf(position, writer, head) >= seq)) this.#parts.source.forget(writer)
  }
}
