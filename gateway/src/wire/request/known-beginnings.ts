/**
 * Agents send their whole conversation again with every call. This keeps the bytes of recent requests with what they
 * said, so that a request that begins with the very same bytes is read from there on only. Bytes are compared, never
 * hashes alone, and an owner finds its own requests only. A request that leaves its conversation early is read whole.
 */
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
/** Nothing of a conversation stays longer than this after its last request, once other requests come. */
const idleMs = 10 * 60_000

/** Lengths at which requests are fingerprinted: each a quarter longer than the one before. */
const steps: readonly number[] = Array.from({ length: 29 }, (_, index) => Math.floor(shortestBeginning * 1.25 ** index))
/** One byte in so many is looked at. A fingerprint only finds; what was found is compared byte for byte. */
const sampling = 16
/** Requests with the same fingerprint that are kept. */
const mostAlike = 4

interface Kept {
  readonly beginning: Beginning
  readonly at: number
}

export class KnownBeginnings {
  readonly #capacity: number
  /** By fingerprint, in order of use; those that share one, the newest first. */
  readonly #kept = new Map<string, readonly Kept[]>()
  #size = 0

  constructor(capacity: number = defaultCapacity) {
    this.#capacity = capacity
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
    const alike = this.#kept.get(print) ?? []
    for (const { beginning: forgotten } of alike.slice(mostAlike - 1)) this.#size -= lengthOf(forgotten)
    this.#kept.delete(print)
    this.#kept.set(print, [{ beginning, at: now }, ...alike.slice(0, mostAlike - 1)])
    this.#size += lengthOf(beginning)
    this.#makeRoom(now)
  }

  #makeRoom(now: number): void {
    for (const [print, alike] of this.#kept) {
      if (this.#size <= this.#capacity && now - (alike[0]?.at ?? 0) < idleMs) return
      for (const { beginning } of alike) this.#size -= lengthOf(beginning)
      this.#kept.delete(print)
    }
  }

  #drop(print: string | undefined, beginning: Beginning): void {
    const alike = print === undefined ? undefined : this.#kept.get(print)
    const others = alike?.filter((kept) => kept.beginning !== beginning)
    if (print === undefined || alike === undefined || others === undefined || others.length === alike.length) return
    this.#size -= lengthOf(beginning)
    if (others.length === 0) this.#kept.delete(print)
    else this.#kept.set(print, others)
  }
}

function mostShared(alike: readonly Kept[], bytes: Buffer): FoundBeginning | undefined {
  let best: FoundBeginning | undefined
  for (const { beginning } of alike) {
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
