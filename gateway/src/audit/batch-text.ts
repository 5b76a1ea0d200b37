/**
 * A batch of records as one string on its way to the log's thread: one string is copied several times faster than a
 * list of objects. Never changes the text of a record, which is what is hashed and stored.
 */
import type { LogRow } from './log-protocol.ts'

/** At least one row, each a line of its own: its columns, which are ids and a time, and the JSON of its record, after tabs. */
export function batchText(rows: readonly LogRow[]): string {
  return rows.map(({ id, time, session, turn, json }) => `${id}\t${time}\t${session ?? ''}\t${turn ?? ''}\t${json}`).join('\n')
}

const columnCount = 5

/**
 * The rows of `batchText`. JSON without indentation has neither line breaks nor tabs, because strings escape them; a
 * column that had one makes this throw, and nothing of such a batch may be written.
 */
export function rowsOf(text: string): LogRow[] {
  return text.split('\n').map((line) => {
    const columns = line.split('\t')
    const [id, time, session, turn, json] = columns
    if (columns.length !== columnCount || !json?.startsWith('{') || !json.endsWith('}') || !Number.isSafeInteger(Number(time))) throw new Error('the batch of records is damaged')
    return { id: id as string, time: Number(time), session: session || null, turn: turn || null, json }
  })
}
