/**
 * Reading records back: by turn, by session, the newest, or as they come. Statements run on the calling thread:
 * for the CLI and for bounded pages, not for a request on the hot path.
 */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { decisionRecordSchema, type DecisionRecord } from '@turnward/contract/decision'
import { TurnwardError } from '../core/error.ts'
import { openForReading } from './log-reader.ts'

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
    if (idOrPrefix === 'last') {
      return text(database.prepare('SELECT turn FROM records WHERE turn IS NOT NULL ORDER BY seq DESC LIMIT 1').get()?.['turn'])
    }
    const exact = text(database.prepare('SELECT turn FROM records WHERE turn = ? LIMIT 1').get(idOrPrefix)?.['turn'])
    if (exact !== undefined || idOrPrefix === '') return exact
    const found = database
      .prepare('SELECT DISTINCT turn FROM records WHERE turn >= ? AND turn < ? LIMIT 2')
      .all(idOrPrefix, `${idOrPrefix}\u{10ffff}`)
    if (found.length > 1)
      throw new TurnwardError('request.invalid', {
        subject: idOrPrefix,
        why: 'several turns begin like this',
        fix: 'Give more of the turn id.',
      })
    return text(found[0]?.['turn'])
  })
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
  const conditions = ['seq > ?']
  const values: SQLInputValue[] = [query.afterSeq ?? 0]
  if (query.turn !== undefined) {
    conditions.push('turn = ?')
    values.push(query.turn)
  }
  if (query.session !== undefined) {
    conditions.push('session = ?')
    values.push(query.session)
  }
  const limit = Math.max(0, Math.min(Math.trunc(query.limit ?? defaultLimit), maximalLimit))
  const order = query.last === true ? 'DESC' : 'ASC'
  const rows = database
    .prepare(`SELECT seq, hash, record FROM records WHERE ${conditions.join(' AND ')} ORDER BY seq ${order} LIMIT ?`)
    .all(...values, limit)
  const records = rows.map((row) => fromRow(row as { seq: number; hash: string; record: string }))
  return query.last === true ? records.reverse() : records
}

function fromRow(row: { seq: number; hash: string; record: string }): StoredRecord {
  let value: unknown
  try {
    value = JSON.parse(row.record)
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

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
