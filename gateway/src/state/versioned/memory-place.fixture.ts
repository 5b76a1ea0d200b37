/**
 * A place of versioned values in the memory of a test: what a server does, one step after the other, without one. Every
 * call takes a while, and which of those under way is next is drawn from a seed. It counts what it was asked.
 */
import type { Clock } from '../../core/clock.ts'
import {
  wholeEpoch,
  type Epoch,
  type PlaceKey,
  type Reading,
  type VersionedPlace,
  type VersionedValue,
  type VersionedWrite,
  type WriteResult,
} from './versioned-place.ts'

interface Kept extends VersionedValue {
  readonly expires: number
}

export class MemoryPlace implements VersionedPlace {
  readonly clock: Clock
  /** Calls so far. */
  trips = 0
  readonly #kept = new Map<string, Kept>()
  readonly #listeners = new Map<string, Set<() => void>>()
  readonly #waiting: (() => void)[] = []
  #draw: number
  #isTurning = false
  #epoch: Epoch = wholeEpoch

  constructor(clock: Clock, seed = 1) {
    this.clock = clock
    this.#draw = seed >>> 0
  }

  read(slot: string, keys: readonly PlaceKey[]): Promise<Reading> {
    return this.#later(() => ({ values: keys.map((key) => this.#at(nameOf(slot, key))), epoch: this.#epoch }))
  }

  write(slot: string, { version, epoch, changes, checks, reads, announce }: VersionedWrite): Promise<WriteResult> {
    return this.#later((): WriteResult => {
      if (epoch !== this.#epoch.id) return { kind: 'lost', epoch: this.#epoch }
      const asked = [...changes, ...checks]
      const present = asked.map((key) => this.#at(nameOf(slot, key)))
      const besides = reads.map((key) => this.#at(nameOf(slot, key)))
      if (asked.some(({ expected }, at) => expected !== undefined && expected !== present[at]?.version))
        return { kind: 'conflict', present, reads: besides }
      const now = this.clock.now()
      for (const { text, livesMs, ...key } of changes) this.#kept.set(nameOf(slot, key), { text, version, expires: now + livesMs })
      for (const topic of announce) for (const listener of this.#listeners.get(topic) ?? []) listener()
      return { kind: 'ok', reads: besides }
    })
  }

  listen(topic: string, listener: () => void): () => void {
    const set = this.#listeners.get(topic) ?? new Set()
    this.#listeners.set(topic, set.add(listener))
    return () => set.delete(listener)
  }

  health(): undefined {
    return undefined
  }

  /** Forgets everything, as a server does that starts again. */
  empty(): void {
    this.#kept.clear()
    this.#epoch = { id: `${this.#epoch.id}+`, lostAt: this.clock.now() }
  }

  epochOf(): Epoch {
    return this.#epoch
  }

  lastLoss(): number | undefined {
    return this.#epoch.lostAt
  }

  async close(): Promise<void> {}

  #at(name: string): VersionedValue {
    const kept = this.#kept.get(name)
    if (kept === undefined || (kept.text !== undefined && kept.expires <= this.clock.now())) return { text: undefined, version: '' }
    return { text: kept.text, version: kept.version }
  }

  /** There, done in one step, and back. */
  #later<R>(step: () => R): Promise<R> {
    this.trips += 1
    return new Promise((resolve, reject) => {
      this.#queue(() => {
        try {
          const value = step()
          this.#queue(() => resolve(value))
        } catch (error) {
          reject(error as Error)
        }
      })
    })
  }

  #queue(turn: () => void): void {
    this.#waiting.push(turn)
    if (!this.#isTurning) setImmediate(this.#turn)
    this.#isTurning = true
  }

  #turn = (): void => {
    // A linear congruential generator: the same seed gives the same order again.
    this.#draw = (Math.imul(this.#draw, 1_664_525) + 1_013_904_223) >>> 0
    const [next] = this.#waiting.splice(Math.floor((this.#draw / 2 ** 32) * this.#waiting.length), 1)
    next?.()
    this.#isTurning = this.#waiting.length > 0
    if (this.#isTurning) setImmediate(this.#turn)
  }
}

function nameOf(slot: string, { namespace, key }: PlaceKey): string {
  return `${slot}|${namespace}|${key}`
}
