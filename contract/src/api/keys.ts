/** Virtual keys that were made here or by the command line: `/api/keys`. Those of the configuration file are objects of its kind `keys`. */
import { z } from 'zod'
import { keyGrantsSchema } from '../config/identity/key-limits.ts'
import { limitSchema, nameSchema, timeSchema } from './shared.ts'

const namesSchema = z.array(z.string()).nullable()

export const keySchema = z
  .object({
    id: z.string(),
    prefix: z.string().meta({ description: 'What it begins with; the key itself is not kept.' }),
    principal: z.string().meta({ description: 'Its owner.' }),
    consumer: z.string().nullable(),
    actor: z.string().nullable(),
    created: timeSchema,
    expires: timeSchema.nullable(),
    revoked: timeSchema.nullable(),
    status: z.enum(['active', 'expired', 'revoked']),
    scopes: z
      .array(z.enum(['models', 'mcp', 'admin']))
      .nullable()
      .meta({ description: 'Null for model calls and the MCP endpoint.' }),
    models: namesSchema.meta({ description: 'What it may use at most; null for all that its owner may.' }),
    gateways: namesSchema,
    tools: namesSchema,
    previous_until: timeSchema.nullable().meta({ description: 'Until when the secret it had before is good.' }),
    last_used: timeSchema.nullable().meta({ description: 'To the minute; null for never.' }),
  })
  .meta({ id: 'Key' })

export const keysQuerySchema = z.strictObject({
  principal: nameSchema.optional(),
  after: z.string().max(64).optional().meta({ description: 'The id of the last key of the page before.' }),
  limit: limitSchema(100, 500),
})

export const keysSchema = z.object({
  keys: z.array(keySchema).meta({ description: 'The newest first.' }),
  next: z.string().nullable().meta({ description: 'What `after` is of the page that comes next; null at the end.' }),
})

const whenSchema = z.string().min(1).max(64)

export const newKeySchema = z.strictObject({
  principal: nameSchema.meta({ description: 'Declared in the configuration, or a person that is known.' }),
  consumer: nameSchema.optional(),
  actor: nameSchema.optional(),
  expires: whenSchema.default('30d').meta({ description: 'An ISO date, a span such as 12h or 30d, or `never`.' }),
  scopes: z
    .array(z.enum(['models', 'mcp']))
    .min(1)
    .optional()
    .meta({
      description: 'Keys for administering are made by the command line alone: with one, rulings could be made in the name of its owner.',
    }),
  grants: keyGrantsSchema.optional().meta({ description: 'What it may use at most, of what its owner may.' }),
})

export const keyRotationSchema = z.strictObject({
  overlap: whenSchema.default('24h').meta({ description: 'How long the old secret stays good: 30m, 24h, 7d, or 0.' }),
  expires: whenSchema.optional().meta({ description: 'Without it as before.' }),
})

export const madeKeySchema = keySchema.extend({ key: z.string().meta({ description: 'Shown once.' }) }).meta({ id: 'MadeKey' })
