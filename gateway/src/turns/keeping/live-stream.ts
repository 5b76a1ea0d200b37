/**
 * The events of an answer while this process makes it. Who follows it here has them at once; for everybody else they are
 * gathered for a moment, and kept (`kept-streams.ts`). Memory has the segment that is being filled, and nothing more.
 */
import type { Keeper } from './keeper.ts'
import { keepSegment } from './kept-streams.ts'

export interface LiveStreamOptions {
  /** One that has seen nothing yet. */
  readonly keeper: () => Keeper
  readonly key: string
  /** The events it was begun with, which are kept. */
  readonly begun: readonly string[]
  /** How long events wait for others before they are kept together. Default: 200 ms. */
  readonly gatherMs?: number
  /** A segment that is larger is closed, in characters. Default: 64 Ki. */
  readonly segmentSize?: number
}

/** So much may wait to be kept before whoever makes the answer has to wait, in segments. */
const mostWaiting = 16
/** After a failure the place is left alone for a moment. */
const retryMs = 1000
const lastAttempts = 3

export class LiveStream {
  readonly #options: Required<LiveStreamOptions>
  readonly #listeners = new Set<() => void>()
  /** Events of the segment that is being filled, from the number `#first` on. */
  #events: string[] = []
  #first = 0
  #size = 0
  /** How many of them are kept, and how large they are. */
  #kept = 0
  #keptSize = 0
  #index = 0
  /** Size of what is kept of the segments before. */
  #bytesBefore = 0
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  #keeping: Promise<void> | undefined
  #isFailing = false
  #isEnding = false
  /** Nothing more of it is kept. */
  #isLoose = false
  /** No more events will come, and those that did are kept if they could be. */
  isEnded = false

  constructor(options: LiveStreamOptions) {
    this.#options = { gatherMs: 200, segmentSize: 64 * 1024, ...options }
    this.#events = [...options.begun]
    this.#size = this.#events.join('').length
    this.#kept = this.#events.length
    this.#keptSize = this.#size
  }

  /** Number of the next event. */
  get count(): number {
    return this.#first + this.#events.length
  }

  /** Size of all that is kept of it, in bytes. */
  get keptBytes(): number {
    return this.#bytes
  }

  /** More waits to be kept than should. */
  get isFull(): boolean {
    return !this.#isLoose && this.#size - this.#keptSize > mostWaiting * this.#options.segmentSize
  }

  /** `text`: an event, ending with its blank line. */
  append(text: string): void {
    this.#events.push(text)
    this.#size += text.length
    if (this.#isLoose) this.#drop()
    else if (this.#size >= this.#options.segmentSize && !this.#isFailing) this.#keepNow()
    else this.#schedule(this.#options.gatherMs)
    this.#tell()
  }

  /** The events from this number on; undefined when memory no longer has all of them. */
  from(number: number): readonly string[] | undefined {
    return number < this.#first ? undefined : this.#events.slice(number - this.#first)
  }

  /** Calls `listener` when there is more, or less is waiting. Returns the way to stop. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Keeps the segment that is being filled as long again; resolves when that was done, or failed. */
  async renew(): Promise<void> {
    if (!this.#isLoose) this.#keepNow()
    await this.#keeping
  }

  /** Keeps what is not kept yet. Never rejects: what cannot be kept is only here. */
  async end(): Promise<void> {
    this.#isEnding = true
    clearTimeout(this.#timer)
    await this.#keeping
    for (let attempt = 0; attempt < lastAttempts && !this.#isLoose; attempt += 1) if (await this.#keep(true)) break
    this.isEnded = true
    this.#tell()
  }

  #schedule(ms: number): void {
    this.#timer ??= setTimeout(() => {
      // Also where something is being kept just now: what comes after it is to be scheduled again.
      this.#timer = undefined
      this.#keepNow()
    }, ms)
  }

  #keepNow(): void {
    if (this.#keeping !== undefined || this.#isEnding) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#keeping = this.#keep(false).then((isKept) => {
      this.#keeping = undefined
      this.#isFailing = !isKept
      if (!this.#isLoose && !this.#isEnding && this.#kept < this.#events.length) this.#schedule(isKept ? this.#options.gatherMs : retryMs)
      this.#tell()
    })
  }

  /** False when it failed, and may be tried again. */
  async #keep(isLast: boolean): Promise<boolean> {
    const { keeper, key, segmentSize } = this.#options
    const events = [...this.#events]
    const size = this.#size
    try {
      const segment = { index: this.#index, first: this.#first, events, isLast }
      const kept = await keepSegment(keeper(), key, segment, this.#bytesBefore)
      this.#isLoose = !kept.isKept
      if (this.#isLoose) {
        this.#drop()
        return true
      }
      this.#kept = events.length
      this.#keptSize = size
      this.#bytes = this.#bytesBefore + kept.size
      if (size >= segmentSize && !isLast) this.#close()
      return true
    } catch {
      return false
    }
  }

  /** What is kept begins no more: the next events are another segment. */
  #close(): void {
    this.#first += this.#kept
    this.#events = this.#events.slice(this.#kept)
    this.#size -= this.#keptSize
    this.#kept = 0
    this.#keptSize = 0
    this.#index += 1
    this.#bytesBefore = this.#bytes
  }

  /** Of what is not kept, whoever follows closely has enough in a segment. */
  #drop(): void {
    while (this.#events.length > 1 && this.#size > this.#options.segmentSize) {
      this.#size -= (this.#events.shift() ?? '').length
      this.#first += 1
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}
