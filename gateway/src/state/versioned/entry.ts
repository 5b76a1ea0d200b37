/** One value as a call sees it: what is there, and what the call has made of it that is not written yet. */
import type { Changed, StateNamespace } from '../state-store.ts'
import type { Copy } from './copies.ts'
import type { PlaceKey } from './versioned-place.ts'

/** A pure change of a value. */
export type Change = (value: unknown) => Changed<unknown, unknown>

export class Entry implements PlaceKey {
  readonly namespace: StateNamespace
  readonly key: string
  readonly name: string
  /** What is there, as it was last seen. */
  base: Copy
  /** Whether it was there when the call looked, and not only when somebody did before. */
  isVerified: boolean
  /** Whether the call has never asked what is there. */
  isGuess: boolean
  /** With what the call has made of it. */
  value: unknown
  expires = 0
  readonly announce = new Set<string>()
  #changes: Change[] = []

  constructor(namespace: StateNamespace, key: string, name: string, base: Copy, isVerified: boolean) {
    this.namespace = namespace
    this.key = key
    this.name = name
    this.base = base
    this.value = base.value
    this.isVerified = isVerified
    this.isGuess = !isVerified
  }

  get isChanged(): boolean {
    return this.value !== this.base.value
  }

  /** Changes it here. Gives what the change says. */
  apply(change: Change): Changed<unknown, unknown> {
    const next = change(this.value)
    if (next.value !== this.value) {
      this.#take(next)
      this.#changes.push(change)
    }
    return next
  }

  /** Something else is there: what the call has made is made again on that. */
  seen(base: Copy): void {
    this.base = base
    this.isVerified = true
    this.isGuess = false
    this.value = base.value
    this.announce.clear()
    const changes = this.#changes
    this.#changes = []
    for (const change of changes) this.apply(change)
  }

  /** Nobody has asked for it, and something else is more likely there. */
  guessed(base: Copy): void {
    if (base === this.base) return
    this.seen(base)
    this.isVerified = false
    this.isGuess = true
  }

  /** Takes back a change that came to nothing. */
  withdraw(change: Change): void {
    this.#changes = this.#changes.filter((one) => one !== change)
    const { isVerified } = this
    this.seen(this.base)
    this.isVerified = isVerified
  }

  /** How much the call has made of it so far. */
  get mark(): number {
    return this.#changes.length
  }

  /** It was written as it was at that mark. */
  written(base: Copy, mark: number): void {
    this.base = base
    this.isVerified = true
    this.isGuess = false
    this.#changes.splice(0, mark)
    if (this.#changes.length > 0) return
    this.value = base.value
    this.announce.clear()
  }

  /** Drops what the call has made of it. */
  reset(): void {
    this.value = this.base.value
    this.announce.clear()
    this.#changes = []
  }

  #take({ value, expires, announce }: Changed<unknown, unknown>): void {
    this.value = value
    this.expires = expires
    if (announce !== undefined) this.announce.add(announce)
  }
}
