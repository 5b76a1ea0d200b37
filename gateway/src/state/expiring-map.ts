/** Values in memory with an end of life and two bounds, in number and in bytes: the least recently used go first. Says what it had to drop. */
export interface ExpiringValue {
  readonly value: unknown
  /** Unix milliseconds. */
  readonly expires: number
}

interface KeptValue extends ExpiringValue {
  readonly size: number
}

export class ExpiringMap {
  readonly #entries = new Map<string, KeptValue>()
  readonly #limit: number
  readonly #maxBytes: number
  #bytes = 0
  #sweeping: Iterator<[string, KeptValue]> | undefined
  /** Whether a living value was dropped to keep the bound: then absence here proves nothing. */
  evicted = false

  constructor(limit: number, maxBytes = Infinity) {
    this.#limit = limit
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#entries.size
  }

  /** The living value, now the most recently used one. While there is plenty of room nobody asks for the order, so it is not kept. */
  get(key: string, now: number): ExpiringValue | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry.expires <= now) {
      this.#drop(key, entry)
      return undefined
    }
    if (this.#entries.size * 2 > this.#limit || this.#bytes * 2 > this.#maxBytes) {
      this.#entries.delete(key)
      this.#entries.set(key, entry)
    }
    return entry
  }

  /** `size`: bytes the value takes, as far as they can be told. */
  set(key: string, { value, expires }: ExpiringValue, size = 0): void {
    this.delete(key)
    this.#entries.set(key, { value, expires, size })
    this.#bytes += size
    while (this.#entries.size > this.#limit || this.#bytes > this.#maxBytes) {
      const oldest = this.#entries.entries().next()
      if (oldest.done === true) return
      this.#drop(...oldest.value)
      this.evicted = true
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry !== undefined) this.#drop(key, entry)
  }

  #drop(key: string, entry: KeptValue): void {
    this.#entries.delete(key)
    this.#bytes -= entry.size
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
      if (entry.expires <= now) this.#drop(key, entry)
    }
  }
}
