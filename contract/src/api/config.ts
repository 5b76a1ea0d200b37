/** Objects of the configuration as resources: `/api/config`. */
import { z } from 'zod'
import { limitSchema, timeSchema } from './shared.ts'

/** An object as the configuration has it, or a list of values where its kind is one. */
export const objectValueSchema = z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]).meta({ id: 'ConfigValue' })

const placeSchema = z.object({
  source: z.string().meta({ description: 'A file, or `console` for what was made over the API.' }),
  line: z.int(),
  column: z.int(),
})

export const configProblemSchema = z.object({
  code: z.string(),
  message: z.string(),
  path: z.string().meta({ description: 'In the whole configuration: `routes[0].upstreams[1]`.' }),
  object: z.string().optional().meta({ description: '`routes/chat`, when it is in an object that is managed here.' }),
  place: placeSchema,
  suggestion: z.string().optional(),
})

export const kindsSchema = z.object({
  kinds: z.array(z.object({ kind: z.string(), about: z.string(), objects: z.int(), managed: z.int() })),
  revision: z.int().meta({ description: 'The newest of what was made over the API; 0: nothing was.' }),
  running: z.object({
    configuration: z.string().meta({ description: 'Fingerprint of the configuration this process runs on.' }),
    revision: z.int(),
    left_out: z.array(z.string()).meta({ description: 'Objects that do not go with the file and are not used.' }),
    holds_calls: z.boolean().meta({ description: 'One of them restricts calls: none goes on.' }),
    problem: z.string().optional(),
  }),
})

export const configObjectSchema = z
  .object({
    kind: z.string(),
    name: z.string(),
    managed: z.enum(['console', 'file']).meta({ description: '`file`: it can be changed there only.' }),
    place: placeSchema.optional(),
    etag: z.string(),
    value: objectValueSchema,
  })
  .meta({ id: 'ConfigObject' })

export const configObjectsQuerySchema = z.strictObject({
  after: z.string().max(256).optional().meta({ description: 'The last name of the page before.' }),
  limit: limitSchema(100, 500),
  managed: z.enum(['console', 'file']).optional(),
})

export const configObjectsSchema = z.object({ objects: z.array(configObjectSchema), next: z.string().optional() })

const reasonSchema = z.string().trim().min(1).max(500).optional()

export const configChangeQuerySchema = z.strictObject({
  dry_run: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: '`true`: what would change and what is wrong with it; changes nothing.' }),
  reason: reasonSchema.meta({ description: 'Why, for the history.' }),
})

const objectChangeSchema = z.object({
  kind: z.string(),
  name: z.string(),
  change: z.enum(['added', 'removed', 'changed']),
  before: objectValueSchema.optional(),
  after: objectValueSchema.optional(),
})

export const configOutcomeSchema = z
  .object({
    revision: z.int().meta({ description: 'The newest now; of a trial: that the change was compared with.' }),
    running: z.boolean().meta({ description: 'Whether the process that answers runs on it; if not, `GET /api/config` says why.' }),
    applied: z.boolean().meta({ description: 'False for a trial, and where nothing is different.' }),
    changes: z.array(objectChangeSchema),
    problems: z.array(configProblemSchema).meta({ description: 'Of a trial: why it would be refused.' }),
    object: configObjectSchema.optional(),
  })
  .meta({ id: 'ConfigOutcome' })

/** All that is managed over the API. */
export const managedDocumentSchema = z.strictObject({
  revision: z.int().min(0).optional().meta({ description: 'That it was exported from; another one is there: 412.' }),
  objects: z.record(z.string(), z.record(z.string(), objectValueSchema)),
})

export const exportedConfigSchema = z.object({
  revision: z.int(),
  objects: z.record(z.string(), z.record(z.string(), objectValueSchema)),
})

export const configCheckSchema = z.object({ compiles: z.boolean(), problems: z.array(configProblemSchema) })
export const configDiffSchema = z.object({ revision: z.int(), changes: z.array(objectChangeSchema) })

const revisionSchema = z.object({
  revision: z.int(),
  made: timeSchema,
  by: z.string(),
  reason: z.string().nullable(),
  summary: z.string(),
})

export const configRevisionsQuerySchema = z.strictObject({
  before: z.coerce.number().int().min(1).optional().meta({ description: 'The last revision of the page before.' }),
  limit: limitSchema(50, 200),
})

export const configRevisionsSchema = z.object({ revisions: z.array(revisionSchema), next: z.int().optional() })

export const configRevisionSchema = revisionSchema.extend({
  objects: exportedConfigSchema.shape.objects,
  changes: z.array(objectChangeSchema).optional().meta({ description: 'Since the revision before, when that is still kept.' }),
})
