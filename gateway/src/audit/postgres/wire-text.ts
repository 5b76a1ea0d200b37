/**
 * A batch of records as the one text that PostgreSQL makes its rows from: a line for each, fields with tabs between them.
 * JSON has neither tabs nor line breaks, and no character that PostgreSQL cannot hold.
 */
import { nextHash } from '../chain.ts'
import type { LogRow } from '../log-protocol.ts'
import { belongingOf } from '../record-spans.ts'

/** An index holds no longer text. */
const longestKey = 200
/** What PostgreSQL cannot hold, and what stands between fields and lines. */
const unstorable = /[\0\t\n]/g

/** A turn or session as its column has it, to look records up by. The record itself says it whole. */
export function columnText(text: string | null): string | null {
  return text === null || text === '' ? null : text.slice(0, longestKey).replace(unstorable, '\u{fffd}').toWellFormed()
}

/** What the columns beside a record must say; undefined when it is not the JSON of a record. */
interface Columns {
  readonly time: number
  readonly session: string | null
  readonly turn: string | null
}

function columnsOf(json: string): Columns | undefined {
  const belonging = belongingOf(json)
  if (belonging === undefined) return undefined
  return { time: belonging.time, session: columnText(belonging.session), turn: columnText(belonging.turn) }
}

/** The text, and the hash of its last record. Throws when a row is not a record. */
export function insertText(rows: readonly LogRow[], previous: string): { readonly text: string; readonly hash: string } {
  let hash = previous
  const lines = rows.map(({ json }) => {
    const columns = columnsOf(json)
    if (columns === undefined) throw new Error('the batch of records is damaged')
    hash = nextHash(hash, json)
    return lineOf(hash, columns, json)
  })
  return { text: lines.join('\n'), hash }
}

/** The text of records that have their hashes. What is no record has nothing to look it up by. */
export function copyText(rows: readonly { readonly hash: string; readonly record: string }[]): string {
  return rows.map(({ hash, record }) => lineOf(hash, columnsOf(record) ?? { time: 0, session: null, turn: null }, record)).join('\n')
}

function lineOf(hash: string, { time, session, turn }: Columns, json: string): string {
  return `${hash}\t${time}\t${session ?? ''}\t${turn ?? ''}\t${json}`
}

/** Parameters: the text, the number of the writer, and the sequence number before the first row. */
export const insertStatement = `insert into records (writer, seq, hash, time, session, turn, record)
  select $2::integer, $3::bigint + n, split_part(line, E'\\t', 1), split_part(line, E'\\t', 2)::bigint,
    nullif(split_part(line, E'\\t', 3), ''), nullif(split_part(line, E'\\t', 4), ''), split_part(line, E'\\t', 5)
  from string_to_table($1, E'\\n') with ordinality as batch (line, n)`
