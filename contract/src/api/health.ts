/** How a gateway is: `/api/health`. */
import { z } from 'zod'
import { timeSchema } from './shared.ts'

export const healthCheckSchema = z.object({
  check: z.string().meta({ description: 'What was looked at, in two words or three.' }),
  level: z.enum(['ok', 'warning', 'problem']),
  detail: z.string(),
  fix: z.string().optional().meta({ description: 'What to do about it.' }),
})

export const healthSchema = z.object({
  ready: z.boolean().meta({ description: 'Whether governed calls go on; the answer of `/readyz`.' }),
  version: z.string(),
  revision: z.string().meta({ description: 'Of the configuration that runs in the process that answers.' }),
  checks: z.array(healthCheckSchema),
  processes: z
    .array(
      z.object({
        replica: z.string(),
        worker: z.int(),
        version: z.string(),
        revision: z.string(),
        running: z.int().meta({ description: 'Requests it answers at the moment.' }),
        started: timeSchema,
      }),
    )
    .meta({ description: 'Those that take part, the one that answers first; none for a gateway without a cluster.' }),
})
