/** How long what is kept is kept: a time, or `forever`. */
import { z } from 'zod'
import { durationMs, durationSchema } from './durations.ts'

/** Not shorter than a day: what is looked at while it happens, and what is counted, is there. */
const keptForSchema = z.union([z.literal('forever'), durationSchema(['d'], { is: '36500d', called: 'a hundred years' })], {
  error: 'write `forever`, or days like `400d`',
})

/** Unix milliseconds before which it is not kept any more; undefined: it is kept. */
export function keptSince(kept: string, now: number): number | undefined {
  return kept === 'forever' ? undefined : now - durationMs(kept)
}

/** `audit.retention`. */
export const retentionSchema = z.strictObject({
  /** Summaries of turns and sessions: what lists and searches are made from. */
  summaries: keptForSchema.default('forever'),
  /** What was used, by the hour. */
  usage: keptForSchema.default('forever'),
  /** Approvals that are over, with what was asked. */
  approvals: keptForSchema.default('7d'),
})
