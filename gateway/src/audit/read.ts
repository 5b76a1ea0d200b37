/**
 * Reading records back: by turn, by session, the newest, or as they come. Statements run on the calling thread:
 * for the CLI and for bounded pages, not for a request on the hot path.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { decisionRecordSchema, type DecisionRecord } from '@turnward/contract/decision'
import { TurnwardError } from '../core/error.ts'
import { openForReading } from './log-reader.ts'
import { inPresentWords } from './older-records.ts'
import { indexedUpTo, spansOf, type Span, type SpanKind } from './record-spans.ts'

/** A record and its place in the chain. */
export interface StoredRecord {
  readonly seq: number
  readonly hash: string
  readonly record: DecisionRecord
}

export interface RecordQuery {
  readonly turn?: string | undefined
  readonly session?: string | undefined
  readonly afterSeq?: number | undefined
  /** At most this many; default 1,000, at most 100,000. */
  readonly limit?: number | undefined
  /** The newest ones of those that match, instead of the oldest; the answer is in order either way. */
  readonly last?: boolean | undefined
}

const defaultLimit = 1000
const maximalLimit = 100_000
const pollMs = 200

/** Records that match, in the order of the chain; none when there is no log. Rejects with `store.failed`. */
export async function readRecords(dataDir: string, query: RecordQuery = {}): Promise<StoredRecord[]> {
  return withLog(dataDir, [], (database) => select(database, query))
}

/** Shows records to `visit`, the newest first and one at a time, until it says `stop`. Shows none when there is no log. Rejects with `store.failed`. */
export async function visitNewest(dataDir: string, visit: (record: DecisionRecord) => 'on' | 'stop'): Promise<void> {
  withLog(dataDir, undefined, (database) => {
    for (const { record } of matching(database, { last: true })) if (visit(record) === 'stop') return
    return undefined
  })
}

/** Records after `fromSeq` (default: after the last one there is now), then every new one, until the signal. */
export async function* tailRecords(
  dataDir: string,
  options: { readonly signal: AbortSignal; readonly fromSeq?: number | undefined },
): AsyncGenerator<StoredRecord, void> {
  let after = options.fromSeq ?? withLog(dataDir, 0, lastSeq)
  let database: DatabaseSync | undefined
  try {
    while (!options.signal.aborted) {
      database ??= openForReading(dataDir)
      const records = database === undefined ? [] : select(database, { afterSeq: after })
      for (const record of records) {
        if (options.signal.aborted) return
        yield record
        after = record.seq
      }
      if (records.length === 0) await delay(pollMs, undefined, { signal: options.signal }).catch(() => {})
    }
  } finally {
    database?.close()
  }
}

/**
 * The id of a turn from its id, the beginning of it, or `last`; undefined when there is none.
 * Rejects with `request.invalid` when the beginning fits several.
 */
export async function findTurn(dataDir: string, idOrPrefix: string): Promise<string | undefined> {
  return withLog(dataDir, undefined, (database) => {
    if (idOrPrefix === 'last') return lastTurn(database)
    if (idOrPrefix === '') return undefined
    const found = turnsLike(database, idOrPrefix)
    if (found.has(idOrPrefix)) return idOrPrefix
    if (found.size > 1)
      throw new TurnwardError('request.invalid', {
        subject: idOrPrefix,
        why: 'several turns begin like this',
        fix: 'Give more of the turn id.',
      })
    return found.values().next().value
  })
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

function select(database: DatabaseSync, query: RecordQuery): StoredRecord[] {
  const limit = Math.max(0, Math.min(Math.trunc(query.limit ?? defaultLimit), maximalLimit))
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
function* matching(database: DatabaseSync, { turn, session, afterSeq = 0, last = false }: RecordQuery): Generator<StoredRecord> {
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
  for (const row of statement.iterate(...values)) yield fromRow(row as unknown as Row)
}

interface Row {
  readonly seq: number
  readonly hash: string
  readonly record: string
}

function fromRow(row: Row): StoredRecord {
  let value: unknown
  try {
    value = inPresentWords(JSON.parse(row.record))
  } catch {
    value = undefined
  }
  const { success } = decisionRecordSchema.safeParse(value)
  if (success) return { seq: row.seq, hash: row.hash, record: value as DecisionRecord }
  throw new TurnwardError('store.failed', {
    subject: `record ${row.seq}`,
    why: 'it is not a decision record this release can read',
    fix: 'Run `turnward audit verify`.',
  })
}

function lastSeq(database: DatabaseSync): number {
  return Number(database.prepare('SELECT max(seq) AS seq FROM records').get()?.['seq'] ?? 0)
}
