/** Values in memory with an end of life and a bound: the least recently used go first. Says what it had to drop. */
export interface ExpiringValue {
  readonly value: unknown
  /** Unix milliseconds. */
  readonly expires: number
}

export class ExpiringMap {
  readonly #entries = new Map<string, ExpiringValue>()
  readonly #limit: number
  #sweeping: Iterator<[string, ExpiringValue]> | undefined
  /** Whether a living value was dropped to keep the bound: then absence here proves nothing. */
  evicted = false

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#entries.size
  }

  /** The living value, now the most recently used one. While there is plenty of room nobody asks for the order, so it is not kept. */
  get(key: string, now: number): ExpiringValue | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry.expires <= now) {
      this.#entries.delete(key)
      return undefined
    }
    if (this.#entries.size * 2 > this.#limit) {
      this.#entries.delete(key)
      this.#entries.set(key, entry)
    }
    return entry
  }

  set(key: string, entry: ExpiringValue): void {
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    if (this.#entries.size <= this.#limit) return
    const oldest = this.#entries.keys().next()
    if (oldest.done === true) return
    this.#entries.delete(oldest.value)
    this.evicted = true
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  /** Looks at a few more entries and drops the expired among them; a full round takes several calls. */
  sweep(now: number, steps: number): void {
    this.#sweeping ??= this.#entries.entries()
    for (let step = 0; step < steps; step += 1) {
      const next = this.#sweeping.next()
      if (next.done === true) {
        this.#sweeping = undefined
        return
      }
      const [key, entry] = next.value
      if (entry.expires <= now) this.#entries.delete(key)
    }
  }
}
