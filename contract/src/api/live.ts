/** The decision log as it is written: `/api/live`, a stream of server-sent events. */
import { z } from 'zod'
import { decisionsQuerySchema, foundDecisionSchema } from './decisions.ts'

/** What is followed: filters as in `/api/decisions`, without times. */
export const liveQuerySchema = decisionsQuerySchema.omit({ from: true, to: true, cursor: true, limit: true }).extend({
  last: z.coerce.number().int().min(0).max(200).default(0).meta({
    description: 'Begins with so many earlier ones, of the 5,000 records before. Not for whoever goes on with `Last-Event-ID`.',
  }),
})

/** Data of the event `decisions`; the id of the event is where to go on. */
export const liveDecisionsSchema = z.object({
  decisions: z.array(foundDecisionSchema).meta({ description: 'In the order of each chain, the oldest first.' }),
})

/** Data of the event `gap`: records that do not come, whether they match or not. */
export const liveGapSchema = z.object({
  reason: z
    .enum(['behind', 'other_log', 'missing', 'unreadable'])
    .describe(
      '`behind`: too far behind the end, which is gone on from. `other_log`: the id is of another log, or of a place this one has not got to. `missing`: not in the log. `unreadable`: no records this release can read.',
    ),
  count: z.int().nullable().meta({ description: 'How many; null where that is not known.' }),
  writers: z.array(z.object({ writer: z.int(), from: z.int(), to: z.int() })).meta({ description: 'Which, both ends included.' }),
})

/** Data of the event `end`: why the stream ends. Whoever may comes back with `Last-Event-ID`. */
export const liveEndSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) })
