/** The state where it is kept in a place of versioned values: for one call at a time, and for whoever asks once. */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import type { CallState, Changed, MaybePromise, StateNamespace, StateStore } from '../state-store.ts'
import type { StateValues } from '../state-values.ts'
import { Copies } from './copies.ts'
import { StateOfCall } from './state-of-call.ts'
import type { VersionedPlace } from './versioned-place.ts'

/** What belongs to no call. */
const noSlot = 'shared'

export class VersionedState implements StateStore {
  readonly #place: VersionedPlace
  readonly #copies = new Copies()
  readonly #process = randomBytes(9).toString('base64url')
  /** Who found others in the way: one after the other, by slot. */
  readonly #lines = new Map<string, Promise<void>>()
  #writes = 0

  constructor(place: VersionedPlace) {
    this.#place = place
  }

  get clock(): Clock {
    return this.#place.clock
  }

  begin(slot: string): CallState {
    return new StateOfCall({
      place: this.#place,
      slot,
      copies: this.#copies,
      newVersion: () => {
        this.#writes += 1
        return `${this.#process}.${this.#writes.toString(36)}`
      },
      inLine: (step) => this.#inLine(slot, step),
    })
  }

  #inLine<R>(slot: string, step: () => Promise<R>): Promise<R> {
    const run = (this.#lines.get(slot) ?? Promise.resolve()).then(step)
    const settled = run
      .then(
        () => {},
        () => {},
      )
      .finally(() => {
        if (this.#lines.get(slot) === settled) this.#lines.delete(slot)
      })
    this.#lines.set(slot, settled)
    return run
  }

  async get<N extends StateNamespace>(namespace: N, key: string): Promise<StateValues[N] | undefined> {
    return this.begin(noSlot).get(namespace, key)
  }

  async put<N extends StateNamespace>(namespace: N, key: string, value: StateValues[N], expiresAt: number): Promise<void> {
    const state = this.begin(noSlot)
    await state.put(namespace, key, value, expiresAt)
    await state.settle()
  }

  async change<N extends StateNamespace, R>(
    namespace: N,
    key: string,
    change: (value: StateValues[N] | undefined) => Changed<StateValues[N], R>,
  ): Promise<R> {
    const state = this.begin(noSlot)
    const result = await state.change(namespace, key, change)
    await state.settle()
    return result
  }

  listen(topic: string, listener: () => void): () => void {
    return this.#place.listen(topic, listener)
  }

  health(): string | undefined {
    return this.#place.health()
  }

  lostAt(): MaybePromise<number | undefined> {
    return this.begin(noSlot).lostAt?.()
  }

  lastLoss(): number | undefined {
    return this.#place.lastLoss()
  }

  /** Nothing waits here. */
  async flush(): Promise<void> {}

  close(): Promise<void> {
    return this.#place.close()
  }
}
