/** Calls that wait for a person: `/api/approvals`. */
import { z } from 'zod'
import { timeSchema } from './shared.ts'

const summary = {
  id: z.string(),
  status: z.enum(['pending', 'approved', 'denied', 'used', 'expired']),
  tool: z.string(),
  principal: z.string(),
  actor: z.string().nullable(),
  reason: z.string(),
  turn: z.string().nullable(),
  created: timeSchema,
  expires: timeSchema,
  missing: z.int().meta({ description: 'How many approvals it takes still.' }),
  may_rule: z.boolean().meta({ description: 'Whether whoever asks may rule on it now.' }),
}

export const approvalSummarySchema = z.object(summary).meta({ id: 'ApprovalSummary' })

export const approvalSchema = z
  .object({
    ...summary,
    session: z.string(),
    gateway: z.string().nullable(),
    called_as: z.string().nullable(),
    approvers: z.array(z.object({ source: z.string(), from: z.array(z.string()), count: z.int(), self: z.boolean() })),
    arguments: z.record(z.string(), z.unknown()),
    shown: z.array(z.string()).meta({ description: 'The arguments as people read them: whole, with what cannot be seen written out.' }),
    marks: z.array(z.object({ path: z.string(), kind: z.enum(['invisible', 'mixed_scripts', 'look_alike']), detail: z.string() })),
    values: z.array(z.string()).meta({ description: 'Values whose source is not trusted; `endorse` vouches for them.' }),
    rulings: z.array(
      z.object({
        by: z.string(),
        ruling: z.enum(['approve', 'deny']),
        time: timeSchema,
        via: z.string(),
        reason: z.string().nullable(),
      }),
    ),
    digest: z.string().meta({ description: 'What a ruling is bound to.' }),
    link: z.string().nullable(),
  })
  .meta({ id: 'Approval' })

export const approvalsQuerySchema = z.strictObject({ status: z.enum(['pending', 'all']).default('pending') })

export const approvalsSchema = z.object({ approvals: z.array(approvalSummarySchema) })

export const rulingSchema = z.strictObject({
  reason: z.string().max(500).optional(),
  digest: z.string().max(64).optional().meta({ description: 'Of what was looked at: a ruling on anything else is refused.' }),
  endorse: z.boolean().default(false).meta({ description: 'Vouches for its values in the rest of the conversation as well.' }),
})
