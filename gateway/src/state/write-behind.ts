/**
 * Changes on their way to the entries table: the newest per key, written in batches. What was not written is kept
 * and tried again; when too much is waiting the writer refuses, because a label that is lost is a label that is lowered.
 */
import { TurnwardError } from '../core/error.ts'
import type { StateEntries, StateEntryChange } from './state-entries.ts'
import { isJsonValue } from './json-value.ts'

/** A value and its end of life (Unix milliseconds). */
interface ExpiringValue {
  readonly value: unknown
  readonly expires: number
  /** The value is JSON text already. */
  readonly isText?: boolean
}

/** A change not yet written: an entry, or `undefined` for a removal. */
export interface PendingChange {
  readonly namespace: string
  readonly key: string
  readonly entry: ExpiringValue | undefined
}

const delayMs = 20
/**
 * Places of answers come with every call and in no order: together they share pages of the table. One that a crash
 * forgets makes its conversation count as unknown, which only restricts; what lowers a label when it is lost waits less.
 */
const placeDelayMs = 200
/**
 * Likewise answers that are kept: one that a crash forgets is unknown to whoever asks for it. And what is used of limits, which
 * changes twice with every call: a crash may forget what was used within a second, and this is a fifth of one.
 */
const patient: ReadonlySet<string> = new Set(['answer', 'response', 'item', 'shelf', 'shelved', 'stream', 'events', 'limit'])
const retryMs = 500
const batchSize = 2000

export class WriteBehind {
  readonly #entries: StateEntries
  readonly #limit: number
  #pending = new Map<string, PendingChange>()
  #writing = new Map<string, PendingChange>()
  #timer: NodeJS.Timeout | undefined
  /** What the running timer was set to. */
  #delay = 0
  /** Something other than places waits. */
  #isUrgent = false
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
   * the value is not JSON; the change is then not taken. The value is handed over: its text is made when its batch is
   * written, so that a value that is replaced before costs nothing.
   */
  add(namespace: string, key: string, entry: ExpiringValue | undefined): void {
    // Said now and not when it is written: a value that is no JSON is its caller's error, not the batch's.
    if (entry !== undefined && !(Number.isFinite(entry.expires) && (entry.isText === true || isJsonValue(entry.value)))) {
      throw new TypeError('state must be JSON and must expire')
    }
    // Keys are ours: none has what separates them on their way to the database.
    if (key.includes('\0')) throw new TypeError('a key of state may not hold U+0000')
    const name = `${namespace}/${key}`
    if (!this.#pending.has(name)) this.needRoom(1)
    this.#pending.set(name, { namespace, key, entry })
    this.#isUrgent ||= !patient.has(namespace)
    this.#schedule()
  }

  /** Throws `store.failed` when so many more changes do not fit into the queue. */
  needRoom(changes: number): void {
    if (this.#pending.size + changes <= this.#limit) return
    throw new TurnwardError('store.failed', {
      why: this.#failure?.why ?? 'too many changes of state are waiting for the disk',
      retryAfterSeconds: 1,
    })
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

  #schedule(): void {
    const usual = this.#isUrgent || this.#pending.size >= batchSize ? delayMs : placeDelayMs
    const delay = this.#failure === undefined ? usual : retryMs
    if (this.#stopped || (this.#timer !== undefined && delay >= this.#delay)) return
    clearTimeout(this.#timer)
    this.#delay = delay
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      // A batch that fails is kept and tried again; what fails beside it is a failure to write all the same.
      this.#write().catch((cause: unknown) => {
        this.#failure = asStoreFailure(cause)
      })
    }, delay)
  }

  #write(): Promise<void> {
    this.#running ??= this.#writeBatch().finally(() => {
      this.#running = undefined
      if (this.#pending.size > 0) this.#schedule()
    })
    return this.#running
  }

  async #writeBatch(): Promise<void> {
    this.#takeBatch()
    try {
      await this.#entries.write(Array.from(this.#writing.values(), toRow))
      this.#failure = undefined
    } catch (cause) {
      this.#failure = asStoreFailure(cause)
      this.#isUrgent = true
      // What was changed again in the meantime is newer.
      this.#pending = new Map([...this.#writing, ...this.#pending])
    } finally {
      this.#writing = new Map()
    }
  }

  /** Moves the oldest changes, as many as one batch takes. */
  #takeBatch(): void {
    if (this.#pending.size <= batchSize) {
      this.#writing = this.#pending
      this.#pending = new Map()
      this.#isUrgent = false
      return
    }
    for (const [name, change] of this.#pending) {
      this.#writing.set(name, change)
      this.#pending.delete(name)
      if (this.#writing.size >= batchSize) return
    }
  }
}

function asStoreFailure(cause: unknown): TurnwardError {
  return cause instanceof TurnwardError ? cause : new TurnwardError('store.failed', { why: 'state could not be written', cause })
}

function toRow({ namespace, key, entry }: PendingChange): StateEntryChange {
  if (entry === undefined) return { namespace, key, value: null }
  return {
    namespace,
    key,
    value: entry.isText === true ? String(entry.value) : JSON.stringify(entry.value),
    expires: Math.ceil(entry.expires),
  }
}
