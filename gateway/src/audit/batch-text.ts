/**
 * A batch of records as one string on its way to the log's thread: one string is copied several times faster than a
 * list of objects. Never changes the text of a record, which is what is hashed and stored.
 */
import type { LogRow } from './log-protocol.ts'

/** At least one row, each a line of its own: session, turn and the JSON of its record, with tabs between them. */
export function batchText(rows: readonly LogRow[]): string {
  return rows.map(({ session, turn, json }) => `${session ?? ''}\t${turn ?? ''}\t${json}`).join('\n')
}

/**
 * The rows of `batchText`. JSON without indentation has neither line breaks nor tabs, because strings escape them; an
 * id that had one makes this throw, and nothing of such a batch may be written.
 */
export function rowsOf(text: string): LogRow[] {
  return text.split('\n').map((line) => {
    const session = line.indexOf('\t')
    const turn = line.indexOf('\t', session + 1)
    const json = line.slice(turn + 1)
    if (session < 0 || turn < 0 || !json.startsWith('{') || !json.endsWith('}')) throw new Error('the batch of records is damaged')
    return { session: line.slice(0, session) || null, turn: line.slice(session + 1, turn) || null, json }
  })
}
