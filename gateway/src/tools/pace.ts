/**
 * How often one request may tell its client something: a few at once, then so many a second. A server that tells of every
 * row it reads would otherwise keep us, and every client, busy with it. Decides by the clock it is given.
 */
import type { Clock } from '../core/clock.ts'

export interface Rate {
  /** As many may come at once. */
  readonly burst: number
  readonly perSecond: number
}

export class Pace {
  readonly #clock: Clock
  readonly #rate: Rate
  #left: number
  #at: number

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock
    this.#rate = rate
    this.#left = rate.burst
    this.#at = clock.monotonic()
  }

  /** Takes a place when there is one. */
  take(): boolean {
    const now = this.#clock.monotonic()
    const { burst, perSecond } = this.#rate
    this.#left = Math.min(burst, this.#left + ((now - this.#at) * perSecond) / 1000)
    this.#at = now
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }

  /** Milliseconds until there is a place. */
  get waitMs(): number {
    return Math.max(0, ((1 - this.#left) * 1000) / this.#rate.perSecond)
  }
}

/** What waits for its turn is replaced by what comes later: of progress, only where it has got to counts. */
export class LatestInTime<T> {
  readonly #pace: Pace
  readonly #send: (one: T) => void
  #waiting: { readonly one: T } | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(pace: Pace, send: (one: T) => void) {
    this.#pace = pace
    this.#send = send
  }

  offer(one: T): void {
    this.#waiting = { one }
    this.#sendInTime()
  }

  /** Sends what waits, and waits for nothing any more. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting !== undefined) this.#send(waiting.one)
  }

  #sendInTime(): void {
    if (this.#timer !== undefined || this.#waiting === undefined) return
    if (this.#pace.take()) return this.flush()
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#sendInTime()
    }, this.#pace.waitMs)
    this.#timer.unref()
  }
}

/** Messages of a server that answer nothing, such as what it tells of its work. Whoever sends more is read more slowly. */
const asideRate: Rate = { burst: 20_000, perSecond: 10_000 }
const shortestRestMs = 20

/** Tells when a stream of messages is to rest, and how long. */
export class ReadingPace {
  readonly #pace: Pace
  #isSpent = false

  constructor(clock: Clock) {
    this.#pace = new Pace(clock, asideRate)
  }

  /** A message that answers nothing was read. */
  note(): void {
    if (!this.#pace.take()) this.#isSpent = true
  }

  /** Milliseconds for which nothing more is to be read; undefined while all is well. To be asked once for each rest. */
  takeRest(): number | undefined {
    if (!this.#isSpent) return undefined
    this.#isSpent = false
    return Math.max(shortestRestMs, this.#pace.waitMs)
  }
}
