/** People and workloads that are known: `/api/people`. */
import { z } from 'zod'
import { limitSchema, timeSchema } from './shared.ts'

export const personSchema = z
  .object({
    id: z.string(),
    issuer: z.string().nullable().meta({ description: 'Null where only the file or an administrator speaks for the person.' }),
    kind: z.enum(['human', 'workload']),
    name: z.string().nullable(),
    emails: z.array(z.string()),
    status: z.enum(['active', 'disabled']),
    roles: z.array(z.string()).meta({ description: 'Those of the store; the configuration may give more.' }),
    groups: z.array(z.object({ origin: z.string(), group: z.string() })),
    created: timeSchema,
    seen: timeSchema.nullable(),
  })
  .meta({ id: 'Person' })

export const peopleQuerySchema = z.strictObject({
  after: z.string().max(1024).default('').meta({ description: 'Only people whose ids come after this one.' }),
  limit: limitSchema(500, 500),
})

export const peopleSchema = z.object({ people: z.array(personSchema) })

export const personChangeSchema = z.strictObject({ active: z.boolean() })
