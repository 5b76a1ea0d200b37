/** Records on their way to disk: bounded in number and bytes, in order, and counted by whether somebody waits. */
import { TurnwardError } from '../core/error.ts'
import type { LogRow } from './log-protocol.ts'

export interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: TurnwardError) => void
}

export interface QueuedRecord {
  readonly row: LogRow
  /** Somebody who must not act before the record is on disk. */
  readonly waiter: Waiter | undefined
}

export interface Batch {
  readonly records: readonly QueuedRecord[]
}

const separators = /[\n\t]/

const limits = { records: 10_000, bytes: 64 * 1024 * 1024, record: 1024 * 1024, batch: 2000 }

export class RecordQueue {
  #records: QueuedRecord[] = []
  #bytes = 0
  #waiting = 0

  get size(): number {
    return this.#records.length
  }

  /** How many of the records somebody waits for. */
  get waiting(): number {
    return this.#waiting
  }

  /** Adds a record; returns the error when there is no room, and nothing was added. */
  add(row: LogRow, waiter: Waiter | undefined): TurnwardError | undefined {
    if (row.json.length > limits.record) return new TurnwardError('audit.unwritable', { why: 'the record is larger than 1 MiB' })
    // One such row would spoil every batch it is in.
    if (separators.test(`${row.session ?? ''}${row.turn ?? ''}`))
      return new TurnwardError('audit.unwritable', { why: 'its turn or session has a line break or a tab' })
    if (this.#records.length >= limits.records || this.#bytes + row.json.length > limits.bytes) {
      return new TurnwardError('audit.backlog', { why: `${this.#records.length} records are waiting`, retryAfterSeconds: 1 })
    }
    this.#count({ row, waiter }, 1)
    this.#records.push({ row, waiter })
    return undefined
  }

  /** Removes the oldest records, as many as one commit takes. */
  take(): Batch {
    const records = this.#records.splice(0, limits.batch)
    for (const record of records) this.#count(record, -1)
    return { records }
  }

  /** Removes the records somebody waits for and leaves the others. */
  takeWaiting(): QueuedRecord[] {
    const waiting = this.#records.filter((record) => record.waiter !== undefined)
    this.#records = this.#records.filter((record) => record.waiter === undefined)
    for (const record of waiting) this.#count(record, -1)
    return waiting
  }

  /** Puts records back in front, in their order. They were counted when they came, so there is room for them. */
  putBack(records: readonly QueuedRecord[]): void {
    for (const record of records) this.#count(record, 1)
    this.#records.unshift(...records)
  }

  #count(record: QueuedRecord, sign: 1 | -1): void {
    this.#bytes += sign * record.row.json.length
    if (record.waiter !== undefined) this.#waiting += sign
  }
}
