/** What was used, and what it has cost: `/api/usage`. */
import { z } from 'zod'
import { momentSchema, nameSchema, timeSchema } from './shared.ts'

export const usageDimensions = ['principal', 'group', 'key', 'consumer', 'agent', 'model', 'upstream', 'route'] as const

export const usageQuerySchema = z.strictObject({
  by: z
    .enum(usageDimensions)
    .default('model')
    .meta({ description: 'What it is told apart by. A call of somebody in several groups counts in each of them.' }),
  from: momentSchema
    .optional()
    .meta({ description: 'Unix milliseconds, or ISO 8601; down to the hour or day. Default: 24 hours, or 30 days, before `to`.' }),
  to: momentSchema.optional().meta({ description: 'Up to the end of its hour or day. Default: now.' }),
  step: z.enum(['hour', 'day']).default('hour').meta({ description: 'Of a row. Days are those of UTC.' }),
  principal: nameSchema.optional().meta({ description: 'Only calls for this principal.' }),
  key: nameSchema.optional(),
  model: nameSchema.optional(),
})

const amounts = {
  calls: z.int().meta({ description: 'Calls of models that have ended.' }),
  failures: z.int().meta({ description: 'Those of them that did not end well, or were refused by a limit or a guard.' }),
  inputTokens: z.number().meta({ description: 'Those of caches among them.' }),
  outputTokens: z.number(),
  cost: z.number().meta({ description: 'In dollars. What has no known price counts nothing in it.' }),
  unpriced: z.int().meta({ description: 'Calls with a model that has no known price.' }),
}

export const usageRowSchema = z
  .object({
    start: timeSchema.meta({ description: 'When the hour or day begins, in Unix milliseconds.' }),
    value: z.string().meta({ description: 'The principal, group, key, …; empty for calls without one.' }),
    ...amounts,
  })
  .meta({ id: 'UsageRow' })

export const usageSchema = z
  .object({
    by: z.enum(usageDimensions),
    step: z.enum(['hour', 'day']),
    from: timeSchema,
    to: timeSchema,
    rows: z.array(usageRowSchema).meta({ description: 'In order of time; hours in which nothing was used are left out.' }),
    totals: z.array(z.object({ value: z.string(), ...amounts })).meta({ description: 'Of the whole span, the most expensive first.' }),
    unpriced: z.array(z.string()).meta({ description: 'Models with calls whose price is not known: what they cost is in no sum.' }),
  })
  .meta({ id: 'Usage' })
