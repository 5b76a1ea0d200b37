/**
 * Shared state of one process: in memory, written behind to the store, and read back from there after a restart or
 * when memory had to let something go. Values belong to this room once put and are handed out as they are: to change
 * one, put another.
 */
import { BoundedMap } from '../core/bounded-map.ts'
import { parseJson } from '../core/parse-json.ts'
import type { Clock } from '../core/clock.ts'
import { isOnDemand, KeysOnDisk } from './keys-on-disk.ts'
import type { StateEntries } from './state-entries.ts'
import {
  keptNamespaces,
  onDemandNamespaces,
  volatileNamespaces,
  type Changed,
  type MaybePromise,
  type StateNamespace,
  type StateStore,
} from './state-store.ts'
import type { StateValues } from './state-values.ts'
import { sizeOf } from './value-size.ts'
import { WriteBehind } from './write-behind.ts'

export interface MemoryStateOptions {
  readonly entries: StateEntries
  readonly clock: Clock
  /** Most values in memory, per namespace. More live on disk only. */
  readonly maxEntries: number
  /** Most that the values of a namespace take together, in bytes as far as they can be told. Default: 128 MB. */
  readonly maxBytes?: number
}

const namespaces: readonly StateNamespace[] = [...keptNamespaces, ...volatileNamespaces]
const kept: ReadonlySet<string> = new Set(keptNamespaces)
const defaultMaxBytes = 128 * 1024 * 1024
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
  readonly #memory: ReadonlyMap<string, BoundedMap<string, unknown>>
  readonly #writes: WriteBehind
  readonly #onDisk = new KeysOnDisk()
  readonly #timer: NodeJS.Timeout
  #sweeps = 0
  /** Counts changes, so that a slow read does not bring back what was changed meanwhile. */
  #changes = 0
  /** Changes of keys that had to be read back first: those of one key wait for each other. */
  readonly #changing = new Map<string, Promise<unknown>>()

  constructor({ entries, clock, maxEntries, maxBytes = defaultMaxBytes }: MemoryStateOptions) {
    this.#entries = entries
    this.#clock = clock
    this.#memory = new Map(namespaces.map((namespace) => [namespace, new BoundedMap({ most: maxEntries, maxBytes })]))
    this.#writes = new WriteBehind(entries, Math.max(10_000, maxEntries))
    this.#timer = setInterval(() => this.#sweep(), sweepMs)
    this.#timer.unref()
  }

  async load(): Promise<void> {
    const now = this.#clock.now()
    try {
      await this.#onDisk.load(this.#entries, now)
      for await (const page of this.#entries.pages(now, onDemandNamespaces)) {
        for (const { namespace, key, value, expires } of page)
          this.#memory.get(namespace)?.set(key, parseJson(value), { size: value.length, expires })
      }
    } catch (error) {
      clearInterval(this.#timer)
      throw error
    }
  }

  get<N extends StateNamespace>(namespace: N, key: string): MaybePromise<StateValues[N] | undefined> {
    const now = this.#clock.now()
    const memory = this.#namespace(namespace)
    const found = memory.get(key, now)
    if (found !== undefined) return found as StateValues[N]
    if (!(isOnDemand(namespace) ? this.#onDisk.mayHold(key) : memory.hasDropped && kept.has(namespace))) return undefined
    const pending = this.#writes.find(namespace, key)
    if (pending === undefined) return this.#readBack(namespace, key)
    return pending.entry !== undefined && pending.entry.expires > now ? (pending.entry.value as StateValues[N]) : undefined
  }

  put<N extends StateNamespace>(namespace: N, key: string, value: StateValues[N], expiresAt: number): void {
    this.#set(namespace, key, value, expiresAt, false)
  }

  change<N extends StateNamespace, R>(
    namespace: N,
    key: string,
    change: (value: StateValues[N] | undefined) => Changed<StateValues[N], R>,
  ): MaybePromise<R> {
    const before = this.#changing.size === 0 ? undefined : this.#changing.get(nameOf(namespace, key))
    if (before !== undefined)
      return this.#queue(
        nameOf(namespace, key),
        before.then(() => this.#changeRead(namespace, key, change)),
      )
    const value = this.get(namespace, key)
    if (!(value instanceof Promise)) return this.#apply(namespace, key, value, change)
    return this.#queue(
      nameOf(namespace, key),
      value.then((read) => this.#apply(namespace, key, this.#newest(namespace, key, read), change)),
    )
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

  #namespace(namespace: StateNamespace): BoundedMap<string, unknown> {
    return this.#memory.get(namespace) as BoundedMap<string, unknown>
  }

  async #changeRead<N extends StateNamespace, R>(
    namespace: N,
    key: string,
    change: (value: StateValues[N] | undefined) => Changed<StateValues[N], R>,
  ): Promise<R> {
    return this.#apply(namespace, key, this.#newest(namespace, key, await this.get(namespace, key)), change)
  }

  #apply<N extends StateNamespace, R>(
    namespace: N,
    key: string,
    value: StateValues[N] | undefined,
    change: (value: StateValues[N] | undefined) => Changed<StateValues[N], R>,
  ): R {
    const next = change(value)
    if (next.value === undefined) {
      if (value !== undefined) this.#remove(namespace, key)
    } else if (next.value !== value) {
      this.#set(namespace, key, next.value, next.expires, next.isForgettable === true)
    }
    return next.result
  }

  #set<N extends StateNamespace>(namespace: N, key: string, value: StateValues[N], expires: number, isForgettable: boolean): void {
    this.#changes += 1
    if (isOnDemand(namespace)) this.#onDisk.note(key)
    // What waits for the disk is replaced all the same, or an older value would go there after this one.
    if (kept.has(namespace) && !(isForgettable && this.#writes.find(namespace, key) === undefined))
      this.#writes.add(namespace, key, { value, expires })
    // Catches the plain mistake of changing a value after it was handed over, before or after its text is made.
    Object.freeze(value)
    const memory = this.#namespace(namespace)
    // What may be forgotten differs from what was there in a place or a time only.
    const size = (isForgettable ? memory.entry(key)?.size : undefined) ?? sizeOf(value)
    memory.set(key, value, { size, expires })
  }

  /** What was read, unless somebody has put or removed the value since. */
  #newest<N extends StateNamespace>(namespace: N, key: string, read: StateValues[N] | undefined): StateValues[N] | undefined {
    const known = this.#namespace(namespace).get(key, this.#clock.now())
    if (known !== undefined) return known as StateValues[N]
    const pending = this.#writes.find(namespace, key)
    return pending === undefined ? read : (pending.entry?.value as StateValues[N] | undefined)
  }

  /** Whoever changes this key next waits for this change. */
  #queue<R>(name: string, changed: Promise<R>): Promise<R> {
    const settled = changed
      .catch(() => {})
      .finally(() => {
        if (this.#changing.get(name) === settled) this.#changing.delete(name)
      })
    this.#changing.set(name, settled)
    return changed
  }

  #remove(namespace: StateNamespace, key: string): void {
    this.#changes += 1
    if (kept.has(namespace)) this.#writes.add(namespace, key, undefined)
    this.#namespace(namespace).delete(key)
  }

  async #readBack<N extends StateNamespace>(namespace: N, key: string): Promise<StateValues[N] | undefined> {
    const before = this.#changes
    const row = await this.#entries.read(namespace, key, this.#clock.now())
    if (before !== this.#changes) {
      // Something changed while we read; if it was this key, the change is newer than what was read.
      const newer = this.#namespace(namespace).get(key, this.#clock.now()) ?? this.#writes.find(namespace, key)?.entry?.value
      if (newer !== undefined) return newer as StateValues[N]
    }
    if (row === undefined || this.#writes.find(namespace, key) !== undefined) return undefined
    const value = parseJson(row.value) as StateValues[N]
    if (before === this.#changes) this.#namespace(namespace).set(key, value, { size: row.value.length, expires: row.expires })
    return value
  }

  #sweep(): void {
    const now = this.#clock.now()
    for (const memory of this.#memory.values()) memory.sweep(now, sweepSteps)
    this.#sweeps += 1
    // Rows that have expired are never handed out; purging them only saves space, so the next round may do it as well.
    if (this.#sweeps % purgeEvery === 0) this.#entries.purge(now).catch(() => {})
  }
}

function nameOf(namespace: string, key: string): string {
  return `${namespace}/${key}`
}
