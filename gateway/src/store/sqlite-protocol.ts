/** Messages between the store and the thread that holds its database. Types only: both sides import it. */
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'

export interface SqliteWorkerData {
  readonly path: string
  /** How long a statement waits for another process's write, in milliseconds. */
  readonly busyTimeoutMs: number
}

export interface SqliteRequest {
  readonly id: number
  readonly sql: string
  readonly parameters: readonly SQLInputValue[]
}

/** One statement, run once for every row. */
export interface SqliteWrite {
  readonly sql: string
  /** Parameters of a row. */
  readonly width: number
  /**
   * The parameters of all rows as text, one after the other, with U+0000 between them, which none of them holds: one string
   * is handed to the thread several times faster than a list of them. Columns of whole numbers take their text for a number.
   */
  readonly parameters: string
}

/** Writes in one transaction of their own: all or none. */
export interface SqliteBatch {
  readonly id: number
  readonly writes: readonly SqliteWrite[]
}

export type SqliteReply =
  /** Also of a batch that is on disk, without rows. */
  | { readonly id: number; readonly rows: Record<string, SQLOutputValue>[] }
  | { readonly id: number; readonly changes: number; readonly lastInsertRowid: number }
  /** `error` is SQLite's own message: it names tables and columns, never values. */
  | { readonly id: number; readonly error: string }
