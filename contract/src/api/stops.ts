/** What administrators have stopped: `/api/stops`. */
import { z } from 'zod'
import { timeSchema } from './shared.ts'

export const stopKindSchema = z.enum(['agent', 'principal', 'tool', 'server', 'session'])

export const stopSchema = z
  .object({
    id: z.string(),
    kind: stopKindSchema,
    name: z.string().meta({ description: 'Of a tool also a pattern.' }),
    reason: z.string().nullable(),
    by: z.string(),
    made: timeSchema,
    until: timeSchema.nullable().meta({ description: 'When it ends by itself; null when somebody must lift it.' }),
  })
  .meta({ id: 'Stop' })

export const stopsSchema = z.object({ stops: z.array(stopSchema) })

export const stopRequestSchema = z.strictObject({
  kind: z
    .string()
    .max(64)
    .meta({ description: stopKindSchema.options.join(', ') }),
  name: z.string().max(500),
  reason: z.string().max(500).optional(),
  for: z.string().max(16).optional().meta({ description: 'Ends by itself after this time: `90s`, `30m`, `1h`, `7d`.' }),
})
