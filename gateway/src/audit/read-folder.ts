/** Reading the records of a log in a folder, on the calling thread. None when there is no log. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { openForReading } from './log-reader.ts'
import { indexedUpTo, spansOf, type Span, type SpanKind } from './record-spans.ts'
import { fromRow, limitOf, theOneTurn, type RecordQuery, type RecordRow, type StoredRecord } from './stored-record.ts'

/** A query of one chain. */
export interface FolderQuery extends RecordQuery {
  readonly afterSeq?: number | undefined
}

/** Records that match, in the order of the chain. Throws `store.failed`. */
export function folderRecords(dataDir: string, query: FolderQuery): StoredRecord[] {
  return withLog(dataDir, [], (database) => select(database, query))
}

/** The newest first, until told to stop. Throws `store.failed`. */
export function visitFolder(dataDir: string, visit: (record: StoredRecord['record']) => 'on' | 'stop'): void {
  withLog(dataDir, undefined, (database) => {
    for (const { record } of matching(database, { last: true })) if (visit(record) === 'stop') return
    return undefined
  })
}

/** Throws `request.invalid` when several turns begin like this. */
export function folderTurn(dataDir: string, idOrPrefix: string): string | undefined {
  return withLog(dataDir, undefined, (database) => {
    if (idOrPrefix === 'last') return lastTurn(database)
    return idOrPrefix === '' ? undefined : theOneTurn(idOrPrefix, turnsLike(database, idOrPrefix))
  })
}

/** Follows a log that may not be there yet. */
export class FolderTail {
  readonly #dataDir: string
  #database: DatabaseSync | undefined
  #after: number

  constructor(dataDir: string) {
    this.#dataDir = dataDir
    this.#after = withLog(dataDir, 0, lastSeq)
  }

  /** The last ones that were there when it began. */
  last(limit: number): StoredRecord[] {
    if (limit === 0) return []
    return folderRecords(this.#dataDir, { last: true, limit }).filter(({ seq }) => seq <= this.#after)
  }

  /** Those that came since; none when there is nothing new. */
  next(): StoredRecord[] {
    this.#database ??= openForReading(this.#dataDir)
    const records = this.#database === undefined ? [] : select(this.#database, { afterSeq: this.#after })
    this.#after = records.at(-1)?.seq ?? this.#after
    return records
  }

  close(): void {
    this.#database?.close()
  }
}

function lastTurn(database: DatabaseSync): string | undefined {
  for (const { record } of stored(database.prepare(`${recordsWhere} instr(record, ?) > 0 ORDER BY seq DESC`), '"turn":"')) {
    if (record.turn !== null) return record.turn
  }
  return undefined
}

/** Turns whose ids begin like this: all that nobody has written down yet, and at most two of the others, the shortest first. */
function turnsLike(database: DatabaseSync, prefix: string): Set<string> {
  const indexed = indexedUpTo(database)
  const written = database
    .prepare(`SELECT DISTINCT key FROM spans WHERE kind = 'turn' AND key >= ? AND key < ? ORDER BY key LIMIT 2`)
    .all(prefix, `${prefix}\u{10ffff}`)
  const turns = new Set(written.map((row) => String(row['key'])))
  const rest = database.prepare(`${recordsWhere} seq > ? AND instr(record, ?) > 0`)
  for (const { record } of stored(rest, indexed, `"turn":${JSON.stringify(prefix).slice(0, -1)}`)) {
    if (record.turn?.startsWith(prefix) === true) turns.add(record.turn)
  }
  return turns
}

function withLog<T>(dataDir: string, absent: T, read: (database: DatabaseSync) => T): T {
  const database = openForReading(dataDir)
  if (database === undefined) return absent
  try {
    return read(database)
  } finally {
    database.close()
  }
}

function select(database: DatabaseSync, query: FolderQuery): StoredRecord[] {
  const limit = limitOf(query)
  const records: StoredRecord[] = []
  if (limit === 0) return records
  for (const found of matching(database, query)) {
    records.push(found)
    if (records.length === limit) break
  }
  return query.last === true ? records.reverse() : records
}

const everything: Span = { first: 1, last: Number.MAX_SAFE_INTEGER }

/** In the order of the chain, or against it when the last ones are asked for. */
function* matching(database: DatabaseSync, { turn, session, afterSeq = 0, last = false }: FolderQuery): Generator<StoredRecord> {
  const wanted = Object.entries({ turn, session }).filter((entry): entry is [SpanKind, string] => entry[1] !== undefined)
  const [narrowest] = wanted
  const spans = narrowest === undefined ? [everything] : spansOf(database, ...narrowest)
  if (last) spans.reverse()
  // The text of a record has the field as it was written; whether it is the record's own field, its JSON says.
  const texts = wanted.map(([kind, key]) => `"${kind}":${JSON.stringify(key)}`)
  const conditions = ['seq BETWEEN ? AND ?', ...texts.map(() => 'instr(record, ?) > 0')]
  const statement = database.prepare(`${recordsWhere} ${conditions.join(' AND ')} ORDER BY seq ${last ? 'DESC' : 'ASC'}`)
  for (const span of spans) {
    for (const found of stored(statement, Math.max(span.first, afterSeq + 1), span.last, ...texts)) {
      if (wanted.every(([kind, key]) => found.record[kind] === key)) yield found
    }
  }
}

const recordsWhere = 'SELECT seq, hash, record FROM records WHERE'

/** What a statement that begins with `recordsWhere` finds, one by one. */
function* stored(statement: StatementSync, ...values: SQLInputValue[]): Generator<StoredRecord> {
  for (const row of statement.iterate(...values)) yield fromRow(row as unknown as RecordRow)
}

function lastSeq(database: DatabaseSync): number {
  return Number(database.prepare('SELECT max(seq) AS seq FROM records').get()?.['seq'] ?? 0)
}
