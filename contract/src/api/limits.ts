/** How limits and budgets stand: `/api/limits`. */
import { z } from 'zod'

export const shownLimitSchema = z
  .object({
    limit: z.string(),
    per: z.string(),
    scope: z.string().meta({ description: 'Whose it is; empty where all share it.' }),
    count: z.string(),
    window: z.string(),
    action: z.enum(['refuse', 'warn']),
    used: z.number().meta({ description: 'Of cost in dollars. What runs now counts as it was reserved.' }),
    most: z.number(),
    left: z.number(),
    resets: z.string().nullable().meta({ description: 'ISO 8601; null for what has no window.' }),
    runs_out: z
      .string()
      .nullable()
      .meta({ description: 'Of a calendar window: when nothing is left if it goes on like this (ISO 8601); null: not before it resets.' }),
  })
  .meta({ id: 'Limit' })

export const limitsQuerySchema = z.strictObject({ principal: z.string().min(1).max(512).optional() })

export const limitsSchema = z.object({ limits: z.array(shownLimitSchema) })
