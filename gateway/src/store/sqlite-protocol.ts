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

export type SqliteReply =
  | { readonly id: number; readonly rows: Record<string, SQLOutputValue>[] }
  | { readonly id: number; readonly changes: number; readonly lastInsertRowid: number }
  /** `error` is SQLite's own message: it names tables and columns, never values. */
  | { readonly id: number; readonly error: string }
