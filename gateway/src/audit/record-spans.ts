/**
 * Where the records of a turn or a session lie: from which to which number, written down once for every thousand records.
 * An index with a line for each record would cost as much as the record. Those after the last of them are looked through.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'

export type SpanKind = 'turn' | 'session'

/** Numbers of records, both included. Others may lie between them. */
export interface Span {
  readonly first: number
  readonly last: number
}

/** Whom a record belongs to. */
export type Belonging = Readonly<Record<SpanKind, string | null>>

export const spanKinds: readonly SpanKind[] = ['turn', 'session']

/** The writer's side. Nothing of it is evidence: it can be made again from the records. */
export class SpanIndex {
  readonly #insert: StatementSync
  readonly #mark: StatementSync
  readonly #pending: Readonly<Record<SpanKind, Map<string, { readonly first: number; last: number }>>> = {
    turn: new Map(),
    session: new Map(),
  }
  #indexed: number

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare('INSERT OR REPLACE INTO spans (kind, key, first, last) VALUES (?, ?, ?, ?)')
    this.#mark = database.prepare('UPDATE chain SET spans_until = ?')
    this.#indexed = indexedUpTo(database)
  }

  /** The last record whose place is written down. */
  get indexed(): number {
    return this.#indexed
  }

  /** Takes in the next record of the log. */
  note(seq: number, record: Belonging): void {
    for (const kind of spanKinds) {
      const key = record[kind]
      if (key === null) continue
      const span = this.#pending[kind].get(key)
      if (span === undefined) this.#pending[kind].set(key, { first: seq, last: seq })
      else span.last = seq
    }
  }

  /** Writes what was noted, up to record `seq`; the caller's transaction decides whether it counts. */
  write(seq: number): void {
    for (const kind of spanKinds) {
      for (const [key, { first, last }] of this.#pending[kind]) this.#insert.run(kind, key, first, last)
    }
    this.#mark.run(seq)
  }

  /** That transaction was committed. */
  written(seq: number): void {
    for (const kind of spanKinds) this.#pending[kind].clear()
    this.#indexed = seq
  }
}

/** Whom a stored record belongs to and when it was made (Unix milliseconds); undefined when it is not JSON. */
export function belongingOf(text: string): (Belonging & { readonly time: number }) | undefined {
  try {
    const { turn, session, time } = JSON.parse(text) as Record<string, unknown>
    return {
      turn: typeof turn === 'string' ? turn : null,
      session: typeof session === 'string' ? session : null,
      time: Number.isSafeInteger(time) ? (time as number) : 0,
    }
  } catch {
    return undefined
  }
}

/** The last record whose place is written down; 0 when none is. */
export function indexedUpTo(database: DatabaseSync): number {
  return Number(database.prepare('SELECT spans_until FROM chain').get()?.['spans_until'] ?? 0)
}

/** Every span in which a record of this turn or session can lie, in order; the last one has no end. */
export function spansOf(database: DatabaseSync, kind: SpanKind, key: string): Span[] {
  // Read first: a writer may go on meanwhile, and what it then adds lies in the last span.
  const indexed = indexedUpTo(database)
  const spans = database
    .prepare('SELECT first, last FROM spans WHERE kind = ? AND key = ? AND last <= ? ORDER BY first')
    .all(kind, key, indexed)
  return [...(spans as unknown as Span[]), { first: indexed + 1, last: Number.MAX_SAFE_INTEGER }]
}

/** Tells whether a look-up finds record `seq` of this turn or session. */
export function spanFinder(database: DatabaseSync): (kind: SpanKind, key: string, seq: number) => boolean {
  const indexed = indexedUpTo(database)
  const find = database.prepare('SELECT first, last FROM spans WHERE kind = ? AND key = ? AND first <= ? AND last >= ? LIMIT 1')
  // Records of one turn follow each other.
  const recent: Record<SpanKind, { key: string; span: Span } | undefined> = { turn: undefined, session: undefined }
  return (kind, key, seq) => {
    if (seq > indexed) return true
    const last = recent[kind]
    if (last !== undefined && last.key === key && last.span.first <= seq && seq <= last.span.last) return true
    const span = find.get(kind, key, seq, seq) as Span | undefined
    if (span !== undefined) recent[kind] = { key, span }
    return span !== undefined
  }
}
