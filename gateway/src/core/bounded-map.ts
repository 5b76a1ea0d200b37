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

/**
 * A value in the order of use. The order is kept by these links and not by that of the Map: a key that is taken out of a Map
 * and put back again and again leaves a trail there, which makes each look at it slower than the one before.
 */
class Node<K, V> implements BoundedEntry<V> {
  readonly key: K
  readonly value: V
  readonly size: number
  readonly expires: number
  older: Node<K, V> | undefined
  newer: Node<K, V> | undefined

  constructor(key: K, value: V, size: number, expires: number) {
    this.key = key
    this.value = value
    this.size = size
    this.expires = expires
  }
}

export class BoundedMap<K, V> {
  readonly #entries = new Map<K, Node<K, V>>()
  #oldest: Node<K, V> | undefined
  #newest: Node<K, V> | undefined
  readonly #dropped: ((key: K, value: V) => void) | undefined
  #most: number
  readonly #maxBytes: number
  #bytes = 0
  #sweeping: Iterator<Node<K, V>> | undefined
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
      this.#remove(entry)
      return undefined
    }
    if (entry !== this.#newest && this.#isFilling()) {
      this.#unlink(entry)
      this.#append(entry)
    }
    return entry
  }

  /** Keeps a value as the most recently used one, in place of the one before. One that is larger than the whole bound is not kept. */
  set(key: K, value: V, { size = 0, expires = Infinity }: { readonly size?: number; readonly expires?: number } = {}): void {
    const before = this.#entries.get(key)
    const node = new Node(key, value, size, expires)
    if (before === undefined) this.#append(node)
    else {
      this.#bytes -= before.size
      if (this.#isFilling()) {
        this.#unlink(before)
        this.#append(node)
      } else this.#replace(before, node)
    }
    this.#entries.set(key, node)
    this.#bytes += size
    this.#makeRoom()
  }

  /** All values, expired ones as well, in no particular order; looking at them is no use of them. */
  *entries(): Generator<readonly [K, V]> {
    for (const { key, value } of this.#entries.values()) yield [key, value]
  }

  delete(key: K): boolean {
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    this.#remove(entry)
    return true
  }

  clear(): void {
    this.#entries.clear()
    this.#oldest = undefined
    this.#newest = undefined
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
    this.#sweeping ??= this.#entries.values()
    for (let step = 0; step < steps; step += 1) {
      const next = this.#sweeping.next()
      if (next.done === true) {
        this.#sweeping = undefined
        return
      }
      if (next.value.expires <= now) this.#remove(next.value)
    }
  }

  /** Whether the order of use may soon matter. */
  #isFilling(): boolean {
    return this.#entries.size * 2 > this.#most || this.#bytes * 2 > this.#maxBytes
  }

  #makeRoom(): void {
    while (this.#entries.size > this.#most || this.#bytes > this.#maxBytes) {
      const oldest = this.#oldest
      if (oldest === undefined) return
      this.#remove(oldest)
      this.#hasDropped = true
      this.#dropped?.(oldest.key, oldest.value)
    }
  }

  #remove(entry: Node<K, V>): void {
    this.#entries.delete(entry.key)
    this.#unlink(entry)
    this.#bytes -= entry.size
  }

  #append(node: Node<K, V>): void {
    node.older = this.#newest
    if (this.#newest === undefined) this.#oldest = node
    else this.#newest.newer = node
    this.#newest = node
  }

  #unlink(node: Node<K, V>): void {
    if (node.older === undefined) this.#oldest = node.newer
    else node.older.newer = node.newer
    if (node.newer === undefined) this.#newest = node.older
    else node.newer.older = node.older
    node.older = undefined
    node.newer = undefined
  }

  /** Puts one where another stands. */
  #replace(before: Node<K, V>, node: Node<K, V>): void {
    node.older = before.older
    node.newer = before.newer
    if (node.older === undefined) this.#oldest = node
    else node.older.newer = node
    if (node.newer === undefined) this.#newest = node
    else node.newer.older = node
    before.older = undefined
    before.newer = undefined
  }
}
