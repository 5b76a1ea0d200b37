/**
 * Shared state of one process: in memory, written behind to the store, and read back from there after a restart or
 * when memory had to let something go. Values belong to this room once put and are handed out as they are: to change
 * one, put another.
 */
import { parseJson } from '../core/parse-json.ts'
import type { Clock } from '../core/clock.ts'
import type { StateEntries } from './state-entries.ts'
import { ExpiringMap } from './expiring-map.ts'
import { volatileNamespaces, type MaybePromise, type StateNamespace, type StateStore } from './state-store.ts'
import { WriteBehind } from './write-behind.ts'

export interface MemoryStateOptions {
  readonly entries: StateEntries
  readonly clock: Clock
  /** Most values in memory, per namespace. More live on disk only. */
  readonly maxEntries: number
}

const namespaces: readonly StateNamespace[] = ['session', 'point', 'splice', ...volatileNamespaces]
const kept: ReadonlySet<string> = new Set(['session', 'point', 'splice'])
const sweepMs = 1000
const sweepSteps = 500
/** Sweeps between two purges of the table. */
const purgeEvery = 60

/** Loads what lives and starts. Rejects with `store.failed` when the entries cannot be read. */
export async function openStateStore(options: MemoryStateOptions): Promise<StateStore> {
  const store = new MemoryStateStore(options)
  await store.load()
  return store
}

class MemoryStateStore implements StateStore {
  readonly #entries: StateEntries
  readonly #clock: Clock
  readonly #memory: ReadonlyMap<string, ExpiringMap>
  readonly #writes: WriteBehind
  readonly #timer: NodeJS.Timeout
  #sweeps = 0
  /** Counts changes, so that a slow read does not bring back what was changed meanwhile. */
  #changes = 0

  constructor({ entries, clock, maxEntries }: MemoryStateOptions) {
    this.#entries = entries
    this.#clock = clock
    this.#memory = new Map(namespaces.map((namespace) => [namespace, new ExpiringMap(maxEntries)]))
    this.#writes = new WriteBehind(entries, Math.max(10_000, maxEntries))
    this.#timer = setInterval(() => this.#sweep(), sweepMs)
    this.#timer.unref()
  }

  async load(): Promise<void> {
    const now = this.#clock.now()
    try {
      for await (const page of this.#entries.pages(now)) {
        for (const { namespace, key, value, expires } of page) this.#memory.get(namespace)?.set(key, { value: parseJson(value), expires })
      }
    } catch (error) {
      clearInterval(this.#timer)
      throw error
    }
  }

  get<T>(namespace: StateNamespace, key: string): MaybePromise<T | undefined> {
    const now = this.#clock.now()
    const memory = this.#namespace(namespace)
    const found = memory.get(key, now)
    if (found !== undefined) return found.value as T
    if (!memory.evicted || !kept.has(namespace)) return undefined
    const pending = this.#writes.find(namespace, key)
    if (pending === undefined) return this.#readBack<T>(namespace, key)
    return pending.entry !== undefined && pending.entry.expires > now ? (pending.entry.value as T) : undefined
  }

  put<T>(namespace: StateNamespace, key: string, value: T, expiresAt: number): void {
    this.#changes += 1
    const entry = { value, expires: expiresAt }
    if (kept.has(namespace)) this.#writes.add(namespace, key, entry)
    // Catches the plain mistake of changing a value after it was handed over, before or after its text is made.
    Object.freeze(value)
    this.#namespace(namespace).set(key, entry)
  }

  take<T>(namespace: StateNamespace, key: string): MaybePromise<T | undefined> {
    const now = this.#clock.now()
    const memory = this.#namespace(namespace)
    const entry = memory.get(key, now) ?? this.#writes.find(namespace, key)?.entry
    if (entry !== undefined) {
      this.#remove(namespace, key)
      return entry.expires > now ? (entry.value as T) : undefined
    }
    // A removal that is on its way: the table must not be asked.
    if (!memory.evicted || !kept.has(namespace) || this.#writes.find(namespace, key) !== undefined) return undefined
    return this.#takeBack<T>(namespace, key)
  }

  flush(): Promise<void> {
    return this.#writes.flush()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    try {
      await this.#writes.flush()
    } finally {
      this.#writes.stop()
    }
  }

  #namespace(namespace: StateNamespace): ExpiringMap {
    return this.#memory.get(namespace) as ExpiringMap
  }

  #remove(namespace: StateNamespace, key: string): void {
    this.#changes += 1
    if (kept.has(namespace)) this.#writes.add(namespace, key, undefined)
    this.#namespace(namespace).delete(key)
  }

  async #readBack<T>(namespace: StateNamespace, key: string): Promise<T | undefined> {
    const before = this.#changes
    const row = await this.#entries.read(namespace, key, this.#clock.now())
    if (before !== this.#changes) {
      // Something changed while we read; if it was this key, the change is newer than what was read.
      const newer = this.#namespace(namespace).get(key, this.#clock.now()) ?? this.#writes.find(namespace, key)?.entry
      if (newer !== undefined) return newer.value as T
    }
    if (row === undefined || this.#writes.find(namespace, key) !== undefined) return undefined
    const value = parseJson(row.value) as T
    if (before === this.#changes) this.#namespace(namespace).set(key, { value, expires: row.expires })
    return value
  }

  /** The table removes and returns in one statement: of two takers one gets it. */
  async #takeBack<T>(namespace: StateNamespace, key: string): Promise<T | undefined> {
    this.#changes += 1
    const row = await this.#entries.take(namespace, key, this.#clock.now())
    this.#changes += 1
    // A reader may have brought it back to memory between our look and our take.
    this.#namespace(namespace).delete(key)
    return row === undefined ? undefined : (parseJson(row.value) as T)
  }

  #sweep(): void {
    const now = this.#clock.now()
    for (const memory of this.#memory.values()) memory.sweep(now, sweepSteps)
    this.#sweeps += 1
    // Rows that have expired are never handed out; purging them only saves space, so the next round may do it as well.
    if (this.#sweeps % purgeEvery === 0) this.#entries.purge(now).catch(() => {})
  }
}
