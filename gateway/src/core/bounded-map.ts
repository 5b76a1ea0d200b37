/**
 * The one memory that forgets: values bounded in number, in bytes, and in age, the least recently used first. What falls
 * out is told to whoever asks. A room that remembers something uses this and says its bounds; it counts nothing itself.
 */

export interface Bounds<K, V> {
  /** Most values. */
  readonly most: number
  /** Most that they take together, as their sizes are told. Default: no bound. */
  readonly maxBytes?: number
  /** Called for each living value that is dropped to keep a bound; not for what is deleted, replaced or expired. */
  readonly dropped?: (key: K, value: V) => void
}

/** A value with its size and its end of life. */
export interface BoundedEntry<V> {
  readonly value: V
  readonly size: number
  /** On the clock of whoever uses the map. */
  readonly expires: number
}

export class BoundedMap<K, V> {
  readonly #entries = new Map<K, BoundedEntry<V>>()
  readonly #dropped: ((key: K, value: V) => void) | undefined
  #most: number
  readonly #maxBytes: number
  #bytes = 0
  #sweeping: Iterator<[K, BoundedEntry<V>]> | undefined
  #hasDropped = false

  constructor({ most, maxBytes = Infinity, dropped }: Bounds<K, V>) {
    this.#most = most
    this.#maxBytes = maxBytes
    this.#dropped = dropped
  }

  get size(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Whether a living value was dropped to keep a bound: then absence here proves nothing. */
  get hasDropped(): boolean {
    return this.#hasDropped
  }

  /** The living value, now the most recently used one. */
  get(key: K, now = -Infinity): V | undefined {
    return this.entry(key, now)?.value
  }

  /** The same with its size and end. While there is plenty of room nobody asks for the order, so it is not kept. */
  entry(key: K, now = -Infinity): BoundedEntry<V> | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry.expires <= now) {
      this.#remove(key, entry)
      return undefined
    }
    if (this.#isFilling()) {
      this.#entries.delete(key)
      this.#entries.set(key, entry)
    }
    return entry
  }

  /** Keeps a value as the most recently used one, in place of the one before. One that is larger than the whole bound is not kept. */
  set(key: K, value: V, { size = 0, expires = Infinity }: { readonly size?: number; readonly expires?: number } = {}): void {
    const before = this.#entries.get(key)
    if (before !== undefined) {
      this.#bytes -= before.size
      if (this.#isFilling()) this.#entries.delete(key)
    }
    this.#entries.set(key, { value, size, expires })
    this.#bytes += size
    this.#makeRoom()
  }

  delete(key: K): boolean {
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    this.#remove(key, entry)
    return true
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
    this.#sweeping = undefined
  }

  /** A new bound in number: what is beyond it falls out now. */
  resize(most: number): void {
    this.#most = most
    this.#makeRoom()
  }

  /** Looks at a few more entries and removes the expired among them; a full round takes several calls. */
  sweep(now: number, steps: number): void {
    this.#sweeping ??= this.#entries.entries()
    for (let step = 0; step < steps; step += 1) {
      const next = this.#sweeping.next()
      if (next.done === true) {
        this.#sweeping = undefined
        return
      }
      const [key, entry] = next.value
      if (entry.expires <= now) this.#remove(key, entry)
    }
  }

  /** Whether the order of use may soon matter. */
  #isFilling(): boolean {
    return this.#entries.size * 2 > this.#most || this.#bytes * 2 > this.#maxBytes
  }

  #makeRoom(): void {
    while (this.#entries.size > this.#most || this.#bytes > this.#maxBytes) {
      const oldest = this.#entries.entries().next()
      if (oldest.done === true) return
      const [key, entry] = oldest.value
      this.#remove(key, entry)
      this.#hasDropped = true
      this.#dropped?.(key, entry.value)
    }
  }

  #remove(key: K, entry: BoundedEntry<V>): void {
    this.#entries.delete(key)
    this.#bytes -= entry.size
  }
}
