/** The records of the decision log, found again: `/api/decisions`. */
import { z } from 'zod'
import { decisionRecordSchema } from '../decision.ts'
import { cursorSchema, limitSchema, momentSchema, nameSchema } from './shared.ts'

const { shape } = decisionRecordSchema

/** What is looked for. All of it must be true of a record. */
export const decisionsQuerySchema = z.strictObject({
  turn: nameSchema.optional(),
  session: nameSchema.optional(),
  principal: nameSchema.optional(),
  agent: nameSchema.optional().meta({ description: 'The actor.' }),
  kind: shape.kind.optional(),
  type: shape.type.optional().meta({ description: '`decision` for what was decided, `outcome` for what came of it.' }),
  verdict: shape.verdict.optional(),
  action: shape.action.optional().meta({ description: 'What was enforced: `refuse` finds what did not happen.' }),
  tool: nameSchema.optional().meta({ description: 'As `server__tool`: its proposals, calls, results and approvals.' }),
  model: nameSchema.optional().meta({ description: 'As clients ask for it.' }),
  upstream: nameSchema.optional().meta({ description: 'An upstream, or the server of a tool call.' }),
  from: momentSchema.optional().meta({ description: 'Not before: Unix milliseconds, or ISO 8601.' }),
  to: momentSchema.optional().meta({ description: 'Before: Unix milliseconds, or ISO 8601.' }),
  q: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .meta({ description: 'A text that stands in one of the values of a record; ASCII letters are found in either case.' }),
  cursor: cursorSchema.optional(),
  limit: limitSchema(50, 200),
})

/** A record and its place in the chain. */
export const foundDecisionSchema = z
  .object({
    writer: z.int().meta({ description: 'Number of the writer whose chain it is in; 0 for a log with one.' }),
    seq: z.int(),
    hash: z.string(),
    record: decisionRecordSchema.meta({ id: 'DecisionRecord' }),
  })
  .meta({ id: 'FoundDecision' })

export const decisionsSchema = z.object({
  decisions: z.array(foundDecisionSchema).meta({ description: 'The newest first.' }),
  next: z.string().nullable().meta({
    description:
      'Cursor of what comes after; null at the end. An answer looks through a bounded number of records: it may have fewer than `limit`, or none, and a `next`.',
  }),
})
