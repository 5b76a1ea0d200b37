/**
 * Agents send their whole conversation again with every call. This keeps the bytes of recent requests with what they
 * said, so that a request that begins with the very same bytes is read from there on only. Bytes are compared, never
 * hashes alone, and an owner finds its own requests only. A request that leaves its conversation early is read whole.
 */
import { BoundedMap } from '../../core/bounded-map.ts'
import type { MessageView } from '../dialect.ts'

/** A request that was checked and read, up to the end of its last message. */
export interface Beginning {
  /** Its bytes, one piece after the other. */
  readonly pieces: readonly Buffer[]
  /** Byte after the bracket that opens the list of messages. */
  readonly start: number
  /** Byte after each message. */
  readonly ends: readonly number[]
  /** Keys of the body up to the end of each message, and before the list. */
  readonly keys: readonly number[]
  readonly keysBefore: number
  /** One view per message. */
  readonly messages: readonly MessageView[]
  /** The depth its check allowed. */
  readonly maxDepth: number
}

export interface FoundBeginning {
  readonly beginning: Beginning
  /** Messages at its front that the request has too, byte for byte; at least one. */
  readonly count: number
}

/** What a search found, and under which fingerprints the request itself can be kept. */
export interface Search {
  readonly prints: readonly string[]
  readonly found: FoundBeginning | undefined
}

/** Shorter requests are read faster than they are compared. */
export const shortestBeginning = 8 * 1024
const longestBeginning = 4 * 1024 * 1024
/** How much is kept of all owners together, counted in bytes of requests; their views take about as much again. */
const defaultCapacity = 32 * 1024 * 1024
/** Nothing of a conversation stays much longer than this after its last request, once other requests come. */
const idleMs = 10 * 60_000

/** Lengths at which requests are fingerprinted: each a quarter longer than the one before. */
const steps: readonly number[] = Array.from({ length: 29 }, (_, index) => Math.floor(shortestBeginning * 1.25 ** index))
/** One byte in so many is looked at. A fingerprint only finds; what was found is compared byte for byte. */
const sampling = 16
/** Requests with the same fingerprint that are kept. */
const mostAlike = 4

/** Entries that are looked at with every request, to forget those whose conversations have ended. */
const sweepSteps = 16
/** Never reached: what is kept is bounded by its bytes, and none of it is small. */
const mostPrints = 100_000

export class KnownBeginnings {
  /** By fingerprint; those that share one, the newest first. */
  readonly #kept: BoundedMap<string, readonly Beginning[]>

  constructor(capacity: number = defaultCapacity) {
    this.#kept = new BoundedMap({ most: mostPrints, maxBytes: capacity })
  }

  /** Looks for the request of this owner that shares the most with these bytes. */
  search(owner: string, bytes: Buffer): Search {
    const prints = fingerprints(owner, bytes)
    for (let index = prints.length - 1; index >= 0 && this.#kept.size > 0; index -= 1) {
      const found = mostShared(this.#kept.get(prints[index] as string) ?? [], bytes)
      if (found !== undefined) return { prints, found }
    }
    return { prints, found: undefined }
  }

  /** Keeps the beginning of the request that was searched for, in place of the one it goes on from. */
  keep({ prints, found }: Search, beginning: Beginning, now: number): void {
    if (lengthOf(beginning) > longestBeginning) return
    if (found !== undefined && found.count === found.beginning.ends.length) this.#drop(printOf(prints, found.beginning), found.beginning)
    const print = printOf(prints, beginning)
    if (print === undefined) return
    this.#set(print, [beginning, ...(this.#kept.get(print) ?? []).slice(0, mostAlike - 1)], now + idleMs)
    this.#kept.sweep(now, sweepSteps)
  }

  #set(print: string, alike: readonly Beginning[], expires: number): void {
    this.#kept.set(print, alike, { size: alike.reduce((sum, beginning) => sum + lengthOf(beginning), 0), expires })
  }

  #drop(print: string | undefined, beginning: Beginning): void {
    const entry = print === undefined ? undefined : this.#kept.entry(print)
    if (print === undefined || entry === undefined) return
    const others = entry.value.filter((kept) => kept !== beginning)
    if (others.length === 0) this.#kept.delete(print)
    else if (others.length < entry.value.length) this.#set(print, others, entry.expires)
  }
}

function mostShared(alike: readonly Beginning[], bytes: Buffer): FoundBeginning | undefined {
  let best: FoundBeginning | undefined
  for (const beginning of alike) {
    const count = sharedMessages(beginning, bytes)
    if (count > (best?.count ?? 0)) best = { beginning, count }
  }
  return best
}

/** Of the longest step within its messages, because what follows them changes. */
function printOf(prints: readonly string[], beginning: Beginning): string | undefined {
  const length = lengthOf(beginning)
  let count = 0
  while (count < prints.length && (steps[count] as number) <= length) count += 1
  return prints[count - 1]
}

function lengthOf({ ends }: Beginning): number {
  return ends.at(-1) ?? 0
}

function fingerprints(owner: string, bytes: Buffer): string[] {
  const prints: string[] = []
  let at = 0
  let sum = 0
  for (const step of steps) {
    if (step > bytes.length) break
    for (; at < step; at += sampling) sum = (Math.imul(sum, 31) + (bytes[at] as number)) | 0
    prints.push(`${step}|${sum}|${owner}`)
  }
  return prints
}

/** How many whole messages at the front of the known request are in `bytes` too. */
function sharedMessages({ pieces, ends }: Beginning, bytes: Buffer): number {
  let from = 0
  for (const piece of pieces) {
    const end = from + piece.length
    if (end > bytes.length || !piece.equals(bytes.subarray(from, end))) return sharedIn(piece, from, ends, bytes)
    from = end
  }
  return ends.length
}

/** The same, when the piece that begins at byte `from` is the first that differs. */
function sharedIn(piece: Buffer, from: number, ends: readonly number[], bytes: Buffer): number {
  const upTo = Math.min(from + piece.length, bytes.length)
  let shared = 0
  let unshared = ends.length
  while (shared < unshared) {
    const middle = (shared + unshared) >> 1
    const end = ends[middle] as number
    const isShared = end <= from || (end <= upTo && piece.compare(bytes, from, end, 0, end - from) === 0)
    if (isShared) shared = middle + 1
    else unshared = middle
  }
  return shared
}
