/** What whoever follows the log is sent: server-sent events, in which a record has the very text it has in the log. Pure. */
import type { liveEndSchema, liveGapSchema } from '@turnward/contract/api/live'
import type { DecisionRecord } from '@turnward/contract/decision'
import type { z } from 'zod'
import type { TurnwardError } from '../../core/error.ts'
import { fromRow, type RecordRow, type StoredRecord } from '../stored-record.ts'
import { type LogPosition, positionText } from './log-position.ts'

export type LiveGap = z.output<typeof liveGapSchema>

/** A record of the log, and the text it is sent as. */
export interface LiveRecord {
  readonly record: DecisionRecord
  readonly text: string
}

/** Words of an older release; and a line break between values, which whoever writes the log could put there, and which would end the event. */
const otherwiseSaid = /"action":"(?:allow|deny)"|[\r\n]/

/** Undefined when it is no record. */
export function liveRecord(row: RecordRow): LiveRecord | undefined {
  try {
    const stored = fromRow(row)
    return { record: stored.record, text: otherwiseSaid.test(row.record) ? storedText(stored) : placed(stored, row.record) }
  } catch {
    return undefined
  }
}

/** As it was found otherwise. */
export function storedText(stored: StoredRecord): string {
  return placed(stored, JSON.stringify(stored.record))
}

function placed({ writer, seq, hash }: StoredRecord, record: string): string {
  return `{"writer":${writer},"seq":${seq},"hash":${JSON.stringify(hash)},"record":${record}}`
}

/** From where somebody listens, and how soon to come back after an end, in milliseconds. */
export function beginning(position: LogPosition): string {
  return `retry: 2000\n${place(position)}`
}

/** Where to go on, when nothing else is said. */
export function place(position: LogPosition): string {
  return `id: ${positionText(position)}\n\n`
}

/** Records, after which there is to be gone on from `position`. */
export function decisions(texts: readonly string[], position: LogPosition): string {
  return `event: decisions\ndata: {"decisions":[${texts.join(',')}]}\n${place(position)}`
}

export function gap(data: LiveGap): string {
  return `event: gap\ndata: ${JSON.stringify(data)}\n\n`
}

/** The last one. */
export function end(error: TurnwardError): string {
  return `event: end\ndata: ${JSON.stringify({ error: error.toJSON() } as unknown as z.input<typeof liveEndSchema>)}\n\n`
}
