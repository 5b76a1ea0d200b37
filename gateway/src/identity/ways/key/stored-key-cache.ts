/**
 * Store keys by digest, remembered for at most a second, so that revoking one with the CLI takes effect within a second
 * and a busy key costs one read a second. When the store cannot be read the call fails: old answers are not used.
 */
import { BoundedMap } from '../../../core/bounded-map.ts'
import type { Clock } from '../../../core/clock.ts'
import { TurnwardError } from '../../../core/error.ts'
import type { StoredKey } from '../../../store/keys.ts'

/** A stored key, as one of its secrets finds it. `replaced`: until when that secret is good, where it is not the key's any more (Unix ms). */
export type StoredSecret = StoredKey & { readonly replaced?: number }

const rememberMs = 1000
const rememberedKeys = 10_000
const parallelReads = 256

interface Remembered {
  readonly key: StoredSecret | undefined
  readonly staleAt: number
}

interface Reading {
  readonly startedAt: number
  readonly promise: Promise<StoredSecret | undefined>
}

export class StoredKeyCache {
  readonly #clock: Clock
  readonly #remembered = new BoundedMap<string, Remembered>({ most: rememberedKeys })
  readonly #reading = new Map<string, Reading>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The key of a digest, or undefined for none; `read` is asked when the answer is a second old. Rejects with `store.failed`. */
  find(digest: string, read: () => Promise<StoredSecret | undefined>): Promise<StoredSecret | undefined> | StoredSecret | undefined {
    const now = this.#clock.monotonic()
    const remembered = this.#remembered.get(digest)
    if (remembered !== undefined && now < remembered.staleAt) return remembered.key
    const reading = this.#reading.get(digest)
    if (reading !== undefined && now < reading.startedAt + rememberMs) return reading.promise
    if (this.#reading.size >= parallelReads) {
      throw new TurnwardError('store.failed', { why: 'too many keys are being looked up', retryAfterSeconds: 1 })
    }
    const promise = this.#read(digest, now, read)
    this.#reading.set(digest, { startedAt: now, promise })
    return promise
  }

  /** An answer ages from before it was asked for: a revocation after that moment may have been missed. */
  async #read(digest: string, startedAt: number, read: () => Promise<StoredSecret | undefined>): Promise<StoredSecret | undefined> {
    try {
      const key = await read()
      this.#remember(digest, { key, staleAt: startedAt + rememberMs })
      return key
    } finally {
      if (this.#reading.get(digest)?.startedAt === startedAt) this.#reading.delete(digest)
    }
  }

  #remember(digest: string, answer: Remembered): void {
    const before = this.#remembered.get(digest)
    // A slow read must not replace the answer of one that began later.
    if (before !== undefined && before.staleAt > answer.staleAt) return
    this.#remembered.set(digest, answer)
  }
}
