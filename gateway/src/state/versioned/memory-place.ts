/**
 * Versioned values in the memory of the process that owns the embedded state, written behind to the store: the same
 * entries that a single process keeps, for several that ask. What is in memory is answered at once. Slots mean nothing
 * here: a key is one key whoever asks for it.
 */
import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { isOnDemand, KeysOnDisk } from '../keys-on-disk.ts'
import type { StateEntries } from '../state-entries.ts'
import { keptNamespaces, onDemandNamespaces, type MaybePromise } from '../state-store.ts'
import { WriteBehind } from '../write-behind.ts'
import type { PlaceKey, VersionedValue, VersionedWrite, WriteResult } from './versioned-place.ts'

export interface MemoryPlaceOptions {
  readonly entries: StateEntries
  readonly clock: Clock
  /** Most values in memory, per namespace. */
  readonly maxEntries: number
  /** Most that the values of a namespace take together, in characters. Default: 128 Mi. */
  readonly maxBytes?: number
}

const kept: ReadonlySet<string> = new Set(keptNamespaces)
const defaultMaxBytes = 128 * 1024 * 1024
/** As on a server of shared state. */
const mostValueCharacters = 4 * 1024 * 1024
/** How long it is remembered which write removed a value. */
const removedMs = 60_000
const mostRounds = 8
const sweepMs = 1000
const sweepSteps = 500
/** Sweeps between two purges of the table. */
const purgeEvery = 60

const nothing: VersionedValue = { text: undefined, version: '' }

/** Loads what lives and starts. Rejects with `store.failed` when the entries cannot be read. */
export async function openMemoryPlace(options: MemoryPlaceOptions): Promise<MemoryPlace> {
  const place = new MemoryPlace(options)
  await place.load()
  return place
}

export class MemoryPlace {
  readonly #options: MemoryPlaceOptions
  readonly #memory = new Map<string, BoundedMap<string, VersionedValue>>()
  readonly #writes: WriteBehind
  readonly #onDisk = new KeysOnDisk()
  readonly #timer: NodeJS.Timeout
  #sweeps = 0
  #loaded = 0

  constructor(options: MemoryPlaceOptions) {
    this.#options = options
    this.#writes = new WriteBehind(options.entries, Math.max(10_000, options.maxEntries))
    this.#timer = setInterval(() => this.#sweep(), sweepMs)
    this.#timer.unref()
  }

  async load(): Promise<void> {
    try {
      await this.#onDisk.load(this.#options.entries, this.#options.clock.now())
      for await (const page of this.#options.entries.pages(this.#options.clock.now(), onDemandNamespaces))
        for (const { namespace, key, value, expires } of page) this.#keep(namespace, key, value, this.#loadedVersion(), expires)
    } catch (error) {
      clearInterval(this.#timer)
      throw error
    }
  }

  /** What is there under each key, in order, all of one moment. Rejects with `store.failed`. */
  read(keys: readonly PlaceKey[]): MaybePromise<readonly VersionedValue[]> {
    return this.#withAll(keys, () => keys.map((key) => this.#find(key)))
  }

  /** Throws or rejects with `state.too_large`, and with `store.failed` when too much waits for the disk; nothing is written then. */
  write(write: VersionedWrite): MaybePromise<WriteResult> {
    const { changes, checks, reads } = write
    for (const { namespace, text = '' } of changes)
      if (text.length > mostValueCharacters)
        throw new TurnwardError('state.too_large', { subject: namespace, why: `it has more than ${mostValueCharacters} characters` })
    return this.#withAll([...changes, ...checks, ...reads], () => this.#write(write))
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    try {
      await this.#writes.flush()
    } finally {
      this.#writes.stop()
    }
  }

  #write({ version, changes, checks, reads }: VersionedWrite): WriteResult {
    const now = this.#options.clock.now()
    const read = reads.map((key) => this.#find(key))
    const asExpected = [...changes, ...checks].every((key) => key.expected === undefined || this.#find(key).version === key.expected)
    if (!asExpected) return { kind: 'conflict', present: [...changes, ...checks].map((key) => this.#find(key)), reads: read }
    this.#writes.needRoom(changes.length)
    for (const { namespace, key, text, livesMs } of changes) {
      const expires = now + (text === undefined ? removedMs : Math.max(1, livesMs))
      if (kept.has(namespace)) this.#writes.add(namespace, key, text === undefined ? undefined : { value: text, isText: true, expires })
      this.#keep(namespace, key, text, version, expires)
    }
    return { kind: 'ok', reads: read }
  }

  /** What is in memory. Everything that may be on disk only has been fetched before. */
  #find({ namespace, key }: PlaceKey): VersionedValue {
    return this.#memory.get(namespace)?.get(key, this.#options.clock.now()) ?? nothing
  }

  #keep(namespace: string, key: string, text: string | undefined, version: string, expires: number): void {
    if (isOnDemand(namespace)) this.#onDisk.note(key)
    let memory = this.#memory.get(namespace)
    if (memory === undefined) {
      const { maxEntries, maxBytes = defaultMaxBytes } = this.#options
      memory = new BoundedMap({ most: maxEntries, maxBytes })
      this.#memory.set(namespace, memory)
    }
    memory.set(key, { text, version }, { size: text?.length ?? 0, expires })
  }

  /** Runs a step at a moment at which memory holds whatever lives of these keys. */
  #withAll<R>(keys: readonly PlaceKey[], step: () => R): MaybePromise<R> {
    return keys.some((key) => this.#mayBeElsewhere(key)) ? this.#fetchAll(keys, step) : step()
  }

  async #fetchAll<R>(keys: readonly PlaceKey[], step: () => R): Promise<R> {
    for (let round = 0; round < mostRounds; round += 1) {
      const missing = keys.filter((key) => this.#mayBeElsewhere(key))
      const absent = new Set<PlaceKey>()
      await Promise.all(
        missing.map(async (key) => {
          if (!(await this.#fetch(key))) absent.add(key)
        }),
      )
      if (keys.every((key) => absent.has(key) || !this.#mayBeElsewhere(key))) return step()
    }
    throw new TurnwardError('state.busy')
  }

  /** Whether there are values that memory has let go of or never had, and this may be one of them. */
  #mayBeElsewhere({ namespace, key }: PlaceKey): boolean {
    const memory = this.#memory.get(namespace)
    const isPart = isOnDemand(namespace) ? this.#onDisk.mayHold(key) : memory?.hasDropped === true && kept.has(namespace)
    return isPart && memory?.get(key, this.#options.clock.now()) === undefined
  }

  /** Brings a value back to memory; false when there is none. What waits for the disk is newer than what is there. */
  async #fetch({ namespace, key }: PlaceKey): Promise<boolean> {
    const now = this.#options.clock.now()
    // The store reads and writes in order, so a write that ended before this read was answered is in its answer.
    const row = this.#writes.find(namespace, key) === undefined ? await this.#options.entries.read(namespace, key, now) : undefined
    if (this.#memory.get(namespace)?.get(key, now) !== undefined) return true
    const pending = this.#writes.find(namespace, key)
    const found = pending === undefined ? row : pending.entry
    if (found === undefined || found.expires <= now) return false
    this.#keep(namespace, key, String(found.value), this.#loadedVersion(), found.expires)
    return true
  }

  /** Versions are not on disk: whoever knows an earlier one finds that it has changed, and looks again. */
  #loadedVersion(): string {
    this.#loaded += 1
    return `disk.${this.#loaded.toString(36)}`
  }

  #sweep(): void {
    const now = this.#options.clock.now()
    for (const memory of this.#memory.values()) memory.sweep(now, sweepSteps)
    this.#sweeps += 1
    // Expired rows are never handed out; the next round may purge them as well.
    if (this.#sweeps % purgeEvery === 0) this.#options.entries.purge(now).catch(() => {})
  }
}
