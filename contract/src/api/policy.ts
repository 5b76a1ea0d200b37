/** Trying a policy on what is on record: `/api/policy`. */
import { z } from 'zod'
import { actionSchema } from '../decision.ts'
import { timeSchema } from './shared.ts'

const longestDraft = 1_000_000

export const replayRequestSchema = z.strictObject({
  since: z.string().max(64).default('24h').meta({ description: 'An ISO date, or a span such as 24h.' }),
  draft: z.string().max(longestDraft).meta({ description: 'The text of a configuration file, as if it lay beside the one that runs.' }),
})

const lines = { tool: z.string(), principal: z.string(), count: z.int(), turns: z.array(z.string()) }

export const replaySchema = z
  .object({
    decisions: z.int(),
    same: z.int(),
    otherReasons: z.int(),
    changed: z.int(),
    notKnown: z.int(),
    otherRevisions: z.int().meta({ description: 'Decisions that were made under another revision than the one that runs now.' }),
    changes: z.array(z.object({ ...lines, was: actionSchema, becomes: actionSchema, decidedBy: z.array(z.string()), reason: z.string() })),
    unknown: z.array(z.object({ ...lines, was: actionSchema, asks: z.array(z.object({ source: z.string(), needs: z.string() })) })),
    shortened: z.boolean(),
    revision: z.string(),
    draft: z.string().meta({ description: 'Revision of the draft.' }),
    from: timeSchema.nullable(),
    to: timeSchema.nullable(),
    truncated: z.boolean().meta({ description: 'Whether older records of the span were left out.' }),
  })
  .meta({ id: 'Replay' })
