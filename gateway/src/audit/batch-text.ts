/**
 * A batch of records as one string on its way to the log's thread: one string is copied several times faster than a
 * list of objects. Never changes the text of a record, which is what is hashed and stored.
 */
import type { LogRow } from './log-protocol.ts'

/** What a row says beside its text. */
type Columns = [id: string, time: number, session: string | null, turn: string | null]

/** At least one row. The columns of all rows as JSON in the first line, then each record's JSON in a line of its own. */
export function batchText(rows: readonly LogRow[]): string {
  const columns = rows.map((row): Columns => [row.id, row.time, row.session, row.turn])
  // JSON without indentation has no line break: in strings they are escaped.
  return `${JSON.stringify(columns)}\n${rows.map((row) => row.json).join('\n')}`
}

/** The rows of `batchText`. Throws when it is not one text per row: nothing of such a batch may be written. */
export function rowsOf(text: string): LogRow[] {
  const [first = '', ...texts] = text.split('\n')
  const columns = JSON.parse(first) as Columns[]
  if (columns.length !== texts.length) throw new Error('the batch of records is damaged')
  return columns.map(([id, time, session, turn], index) => ({ json: texts[index] as string, id, time, session, turn }))
}
