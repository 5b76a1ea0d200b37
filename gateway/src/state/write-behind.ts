/**
 * Changes on their way to the entries table: the newest per key, written in batches. What was not written is kept
 * and tried again; when too much is waiting the writer refuses, because a label that is lost is a label that is lowered.
 */
import { TurnwardError } from '../core/error.ts'
import type { StateEntries, StateEntryChange } from './state-entries.ts'
import type { ExpiringValue } from './expiring-map.ts'

/** A change not yet written: an entry, or `undefined` for a removal. */
export interface PendingChange {
  readonly entry: ExpiringValue | undefined
  readonly row: StateEntryChange
}

const delayMs = 20
const retryMs = 500
const batchSize = 2000

export class WriteBehind {
  readonly #entries: StateEntries
  readonly #limit: number
  #pending = new Map<string, PendingChange>()
  #writing = new Map<string, PendingChange>()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #failure: TurnwardError | undefined
  #stopped = false

  constructor(entries: StateEntries, limit: number) {
    this.#entries = entries
    this.#limit = limit
  }

  /** The newest change of a key that may not be in the table yet. */
  find(namespace: string, key: string): PendingChange | undefined {
    const name = `${namespace}/${key}`
    return this.#pending.get(name) ?? this.#writing.get(name)
  }

  /**
   * Takes a change: an entry, or `undefined` for a removal. Throws `store.failed` when the queue is full and TypeError when
   * the value is not JSON; the change is then not taken.
   */
  add(namespace: string, key: string, entry: ExpiringValue | undefined): void {
    const name = `${namespace}/${key}`
    if (this.#pending.size >= this.#limit && !this.#pending.has(name)) {
      throw new TurnwardError('store.failed', {
        why: this.#failure?.why ?? 'too many changes of state are waiting for the disk',
        retryAfterSeconds: 1,
      })
    }
    this.#pending.set(name, { entry, row: toRow(namespace, key, entry) })
    this.#schedule(this.#failure === undefined ? delayMs : retryMs)
  }

  /** Resolves when everything added so far is in the table; rejects with `store.failed` at the first failure. */
  async flush(): Promise<void> {
    await this.#running
    while (this.#pending.size > 0) {
      await this.#write()
      if (this.#failure !== undefined) throw this.#failure
    }
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #schedule(delay: number): void {
    if (this.#stopped) return
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.#write()
    }, delay)
  }

  #write(): Promise<void> {
    this.#running ??= this.#writeBatch().finally(() => {
      this.#running = undefined
      if (this.#pending.size > 0) this.#schedule(this.#failure === undefined ? delayMs : retryMs)
    })
    return this.#running
  }

  async #writeBatch(): Promise<void> {
    this.#writing = firstOf(this.#pending, batchSize)
    for (const name of this.#writing.keys()) this.#pending.delete(name)
    try {
      await this.#entries.write([...this.#writing.values()].map((change) => change.row))
      this.#failure = undefined
    } catch (cause) {
      this.#failure =
        cause instanceof TurnwardError ? cause : new TurnwardError('store.failed', { why: 'state could not be written', cause })
      // What was changed again in the meantime is newer.
      this.#pending = new Map([...this.#writing, ...this.#pending])
    } finally {
      this.#writing = new Map()
    }
  }
}

/** Made when the change is taken and not when it is written: a value that is no JSON is its caller's error, not the batch's. */
function toRow(namespace: string, key: string, entry: ExpiringValue | undefined): StateEntryChange {
  if (entry === undefined) return { namespace, key, value: null }
  const value: string | undefined = JSON.stringify(entry.value)
  if (value === undefined || !Number.isFinite(entry.expires)) throw new TypeError('state must be JSON and must expire')
  return { namespace, key, value, expires: Math.ceil(entry.expires) }
}

function firstOf<T>(all: ReadonlyMap<string, T>, limit: number): Map<string, T> {
  if (all.size <= limit) return new Map(all)
  const some = new Map<string, T>()
  for (const [name, value] of all) {
    some.set(name, value)
    if (some.size >= limit) break
  }
  return some
}
