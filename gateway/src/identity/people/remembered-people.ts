/**
 * People of the store as they are remembered. What is remembered is as old as the last look that found no change of it: as long
 * as somebody looks each second nothing is read twice, and when nobody does, or the store cannot be read, old answers are not used.
 */
import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import type { Principal } from '../../core/principal.ts'
import type { PersonChange, StoredPerson } from '../../store/people.ts'
import type { Store } from '../../store/store.ts'

/** One person, or that there is none of this id; and what was made of it last. */
export interface Remembered {
  readonly person: StoredPerson | undefined
  /** On the monotonic clock, before the store was asked. */
  readonly asked: number
  /** The principal that was made of it, and for what. */
  made?: {
    readonly revision: string
    /** The issuer that named it. */
    readonly by: string
    readonly groups: readonly string[]
    readonly emails: readonly string[]
    readonly principal: Principal
  }
  /** When it was last written that the person was here, and what the issuer says; Unix milliseconds. */
  noted?: number
}

interface Reading {
  readonly promise: Promise<Remembered>
  /** Changed while it was read: what comes of it is old. */
  isOld: boolean
}

/** As for virtual keys. */
const oldestMs = 2000
const mostPeople = 50_000
const parallelReads = 256
/** A change that was written while another was may be seen after that one. */
const overlapMs = 10_000
const changesAtOnce = 2000

export class RememberedPeople {
  readonly #store: Pick<Store, 'people'>
  readonly #clock: Clock
  readonly #people = new BoundedMap<string, Remembered>({ most: mostPeople })
  readonly #reading = new Map<string, Reading>()
  /** Begin of the last look that succeeded, on the monotonic clock. */
  #looked = -Infinity
  #newest: number | undefined

  constructor(store: Pick<Store, 'people'>, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** A promise only where the store has to be asked. Rejects with `store.failed`. */
  find(id: string): Remembered | Promise<Remembered> {
    const remembered = this.#people.get(id)
    if (remembered !== undefined && this.#clock.monotonic() - Math.max(remembered.asked, this.#looked) <= oldestMs) return remembered
    const reading = this.#reading.get(id)
    if (reading !== undefined && !reading.isOld) return reading.promise
    if (this.#reading.size >= parallelReads)
      throw new TurnwardError('store.failed', { why: 'too many people are being looked up', retryAfterSeconds: 1 })
    return this.#read(id)
  }

  /** What was remembered of this person is not used again. */
  forget(id: string): void {
    this.#people.delete(id)
    const reading = this.#reading.get(id)
    if (reading !== undefined) reading.isOld = true
  }

  /** Forgets whom the store has changed. Rejects with `store.failed`. */
  async look(): Promise<void> {
    const began = this.#clock.monotonic()
    let newest = this.#newest ?? (await this.#store.people.lastChange())
    // The overlap comes again with every look; who is remembered as changed then stays.
    let after: PersonChange = { changed: newest - overlapMs, id: '' }
    for (;;) {
      const changes = await this.#store.people.changedAfter(after, changesAtOnce)
      for (const { id, changed } of changes) if (this.#people.get(id)?.person?.changed !== changed) this.forget(id)
      after = changes.at(-1) ?? after
      newest = Math.max(newest, after.changed)
      if (changes.length < changesAtOnce) break
    }
    this.#newest = newest
    this.#looked = began
  }

  #read(id: string): Promise<Remembered> {
    const asked = this.#clock.monotonic()
    const read = async (): Promise<Remembered> => {
      try {
        const remembered: Remembered = { person: await this.#store.people.find(id), asked }
        if (!reading.isOld) this.#people.set(id, remembered)
        return remembered
      } finally {
        if (this.#reading.get(id) === reading) this.#reading.delete(id)
      }
    }
    const reading: Reading = { promise: Promise.resolve().then(read), isOld: false }
    this.#reading.set(id, reading)
    return reading.promise
  }
}
