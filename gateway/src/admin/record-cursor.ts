/** Where a list of records goes on, as text. Pure. */
import type { Position } from '../audit/reading/record-search.ts'
import { cursorOf, partsOfCursor } from './cursor.ts'

export function cursorAt({ time, writer, seq }: Position): string {
  return cursorOf([time, writer, seq])
}

const mostWriters = 2 ** 31 - 1

/** Throws `request.invalid`. */
export function positionAt(cursor: string): Position {
  const [time, writer, seq] = partsOfCursor(cursor, ['number', 'number', 'number']) as [number, number, number]
  // Beyond them there is nothing, and a database would not take the numbers.
  return { time, writer: Math.max(0, Math.min(writer, mostWriters)), seq: Math.max(0, seq) }
}
