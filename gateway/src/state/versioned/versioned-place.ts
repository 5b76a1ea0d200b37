/**
 * A place outside this process that keeps versioned values: a Valkey server, or the process that owns the embedded state.
 * It knows nothing of what the values mean. Every call is one round trip, and every write is all or nothing; what makes a
 * `StateStore` out of it (`versioned-state-store.ts`) reads, changes its copy, and writes it where nobody came between.
 */
import type { Clock } from '../../core/clock.ts'
import type { MaybePromise, StateNamespace } from '../state-store.ts'

/** Where a value is kept. All keys of one call of the place belong to one slot, which is given once. */
export interface PlaceKey {
  readonly namespace: StateNamespace
  readonly key: string
}

/**
 * What is kept under a key at one moment. `version` names the write that put it there; no two writes ever have the same
 * one, also where a key was removed or the place was emptied in between. It is empty where nothing is known of the key.
 */
export interface VersionedValue {
  /** JSON text; undefined where there is nothing (never was, removed, expired). */
  readonly text: string | undefined
  readonly version: string
}

/** What must still be as it was when it was read: somebody has decided on it. */
export interface VersionedCheck extends PlaceKey {
  readonly expected: string
}

/** One value to be written, where `expected` is still the version that is there. */
export interface VersionedChange extends PlaceKey {
  /** Undefined: whatever is there. */
  readonly expected: string | undefined
  /** JSON text; undefined removes the value. */
  readonly text: string | undefined
  /** Milliseconds it lives from now, by the clock of the place: the clocks of two machines may differ. At least 1; of no meaning for a removal. */
  readonly livesMs: number
}

/** The time from one emptying of a place to the next: what was kept in another one is gone. */
export interface Epoch {
  /** No two of them have the same. */
  readonly id: string
  /** When what had been kept there was lost (Unix milliseconds, by the clock of the place); undefined when nothing was. */
  readonly lostAt: number | undefined
}

/** Of a place that forgets nothing. */
export const wholeEpoch: Epoch = { id: 'whole', lostAt: undefined }

/** What is there, all of one moment. */
export interface Reading {
  /** In the order of the keys. */
  readonly values: readonly VersionedValue[]
  readonly epoch: Epoch
}

/** What is written in one step, if every version is the one that is expected. Each key occurs once in it. */
export interface VersionedWrite {
  /**
   * The version that everything written gets: letters, digits, `.`, `-` and `_`, fresh and random for each write. The same
   * write sent again, because its answer was lost, is made once.
   */
  readonly version: string
  /** `id` of the epoch in which it was decided on what is or is not there. */
  readonly epoch: string
  readonly changes: readonly VersionedChange[]
  readonly checks: readonly VersionedCheck[]
  /** What is wanted besides, whether the write is made or not. */
  readonly reads: readonly PlaceKey[]
  /** Topics whose listeners are woken wherever they listen, when the write was made. */
  readonly announce: readonly string[]
}

/**
 * What became of a write. `conflict`: nothing was written, and that is what is there instead, for each of `changes` and
 * then of `checks`. `unknown`: nothing was written now, and whether it was made when it was sent before can no longer be
 * told. `lost`: nothing was written, because the place was emptied since; that is the epoch now. `reads`: what is there, in
 * order, before the write.
 */
export type WriteResult =
  | { readonly kind: 'ok'; readonly reads: readonly VersionedValue[] }
  | { readonly kind: 'conflict'; readonly present: readonly VersionedValue[]; readonly reads: readonly VersionedValue[] }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'lost'; readonly epoch: Epoch }

/**
 * Every call rejects with `state.unavailable` within the time limit of the place when it cannot be reached or does not
 * answer, and with `state.too_large` when a value is larger than it keeps (nothing is written then).
 */
export interface VersionedPlace {
  /** What is there under each key, in order, all of one moment. `slot`: what the keys have in common; a short text without braces. */
  read(slot: string, keys: readonly PlaceKey[]): Promise<Reading>
  write(slot: string, write: VersionedWrite): Promise<WriteResult>
  /**
   * Calls `listener` when anybody announces the topic, and once after every time announcements may have been missed.
   * Returns the way to stop. Topics nobody here listens to cost nothing.
   */
  listen(topic: string, listener: () => void): () => void
  /** The time there, as nearly as it is known: everybody who uses the place goes by it, because the clocks of machines differ. */
  readonly clock: Clock
  /** Why it cannot be used now, in words without addresses or secrets; undefined when it can. */
  health(): string | undefined
  /** The epoch of a slot, as far as is known without asking: a write tells when it is over. */
  epochOf(slot: string): MaybePromise<Epoch>
  /** When something kept here was lost last, as far as it is known here. */
  lastLoss(): number | undefined
  close(): Promise<void>
}
