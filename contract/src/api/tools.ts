/** Tools of MCP servers: what they are, what is known of them, and whether their definitions are accepted: `/api/tools`. */
import { z } from 'zod'
import { gapRecordSchema, labelRecordSchema, remedyRecordSchema, actionSchema } from '../decision.ts'
import { coverageSchema } from './policy.ts'
import { limitSchema, nameSchema, timeSchema } from './shared.ts'

export const pinStateSchema = z.enum(['accepted', 'new', 'changed', 'unreviewed']).meta({
  description: '`new`, `changed`: held until somebody accepts it. `unreviewed`: used without that (`pin: warn`, `off`).',
})

export const toolsQuerySchema = z.object({
  server: nameSchema.optional(),
  q: nameSchema.optional().meta({ description: 'Stands in the name, the title or the description.' }),
  coverage: coverageSchema.optional(),
  pin: z
    .enum([...pinStateSchema.options, 'held'])
    .optional()
    .meta({ description: '`held`: all that wait, new and changed.' }),
  after: z.string().max(512).optional().meta({ description: 'The `next` of the answer before.' }),
  limit: limitSchema(100, 500),
})

const useSchema = z.object({
  calls: z.int(),
  refused: z.int(),
  observed: z.int().meta({ description: 'Calls that ran and would have been refused.' }),
})

export const shownToolSchema = z
  .object({
    name: z.string().meta({ description: 'What grants, contracts and rules call it: `server__tool`.' }),
    server: z.string(),
    tool: z.string().meta({ description: 'What its server calls it.' }),
    title: z.string().nullable(),
    description: z.string().meta({
      description: 'Its first line. A server says it, so it is not trusted; characters that nobody sees are spelled out.',
    }),
    coverage: coverageSchema,
    pin: pinStateSchema,
    use: useSchema,
  })
  .meta({ id: 'Tool' })

export const toolsSchema = z.object({
  tools: z.array(shownToolSchema),
  total: z.int(),
  next: z.string().nullable(),
  counted: z
    .object({ from: timeSchema.nullable(), records: z.int() })
    .meta({ description: 'What uses are counted of: the newest decisions on tool calls.' }),
})

const definitionSchema = z.object({
  digest: z.string().meta({ description: 'SHA-256 of the definition.' }),
  text: z.string().meta({ description: 'All of it as JSON, for people; characters that nobody sees are spelled out.' }),
})

export const toolDetailSchema = shownToolSchema
  .extend({
    about: z.string().meta({ description: 'The whole description, spelled out as `description`.' }),
    definition: definitionSchema,
    input_schema: z.record(z.string(), z.unknown()).meta({ description: 'As the server says it; not trusted.' }),
    contract: z
      .object({
        from: z.string().meta({ description: '`configuration`, or the packs: `claude-code@1`.' }),
        pattern: z.string(),
        place: z.object({ source: z.string(), line: z.int() }).nullable(),
        says: z.record(z.string(), z.unknown()),
      })
      .nullable()
      .meta({ description: 'Null where nobody describes it: then its results are not trusted.' }),
    hinted: z.array(z.string()).meta({ description: 'Effects that only a hint of the server speaks for.' }),
    accepted: z.object({ digest: z.string(), at: timeSchema, by: z.string() }).nullable().meta({ description: 'What was accepted last.' }),
    changes: z
      .array(z.object({ path: z.string(), lines: z.array(z.string()) }))
      .meta({ description: 'What differs from what was accepted, each line behind `-` or `+`; of a new tool all of it.' }),
    gateways: z.array(z.string()).meta({ description: 'MCP gateways that show its server.' }),
  })
  .meta({ id: 'ToolDetail' })

export const acceptRequestSchema = z.strictObject({
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'it is the SHA-256 of the definition that was shown')
    .meta({ description: 'Of what was shown.' }),
  reason: z.string().trim().min(1).max(500),
})

export const acceptedSchema = z.object({ name: z.string(), digest: z.string(), by: z.string() }).meta({ id: 'AcceptedDefinition' })

export const tryRequestSchema = z.strictObject({
  arguments: z.record(z.string(), z.unknown()),
  gateway: nameSchema
    .optional()
    .meta({ description: 'The MCP gateway it is called through; the first that shows its server without one.' }),
})

export const triedSchema = z
  .object({
    tool: z.string(),
    gateway: z.string(),
    outcome: z.enum(['ran', 'failed', 'refused', 'waits']).meta({
      description: '`failed`: it ran and its server reports an error. `waits`: a person has not ruled on it in time.',
    }),
    decision: z
      .object({
        id: z.string(),
        turn: z.string().nullable(),
        action: actionSchema,
        reason: z.string(),
        rules: z.array(z.string()),
        gaps: z.array(gapRecordSchema),
        remedies: z.array(remedyRecordSchema),
        label: labelRecordSchema.nullable().meta({ description: 'What it was decided on.' }),
      })
      .nullable()
      .meta({ description: 'What was decided, as it is on record; null where that could not be read.' }),
    approval: z.string().nullable(),
    result: z
      .object({ text: z.string(), is_cut: z.boolean() })
      .nullable()
      .meta({ description: 'What the server answered, as JSON. It is not trusted. Null where it did not run.' }),
  })
  .meta({ id: 'TriedTool' })
