/** How often somebody may ask the administration: so often that a page feels quick, and not so often that calls of agents wait for it. */
import { BoundedMap } from '../core/bounded-map.ts'
import type { Clock } from '../core/clock.ts'
import { TurnwardError } from '../core/error.ts'

/** So many requests at once, and so many each second after that. */
const burst = 120
const perSecond = 30
const mostPeople = 10_000

interface Bucket {
  readonly left: number
  readonly at: number
}

/** A bucket of requests for each person, in this process. */
export class RequestRate {
  readonly #clock: Clock
  readonly #buckets = new BoundedMap<string, Bucket>({ most: mostPeople })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Counts a request of a person. Throws `request.too_often` when it is one too many. */
  count(person: string): void {
    const now = this.#clock.monotonic()
    const before = this.#buckets.get(person, now)
    const left = before === undefined ? burst : Math.min(burst, before.left + ((now - before.at) / 1000) * perSecond)
    if (left < 1) throw new TurnwardError('request.too_often', { retryAfterSeconds: Math.ceil((1 - left) / perSecond) })
    this.#buckets.set(person, { left: left - 1, at: now }, { expires: now + (burst / perSecond) * 1000 })
  }
}
