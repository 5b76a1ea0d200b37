/** A REST API as a server: which operations of its document are tools, and what is done with their arguments and answers. */
import { z } from 'zod'
import { baseAddressSchema } from './addresses.ts'
import { patternSchema } from './common.ts'

/** Operations that match all that is said here. */
const operationSelectorSchema = z
  .strictObject({
    /** Name or pattern of the `operationId`, or of the tool's name where there is none. */
    id: patternSchema.optional(),
    tag: patternSchema.optional(),
    method: z.enum(['get', 'post', 'put', 'patch', 'delete']).optional(),
    /** Path of the document, or a pattern of it. */
    path: patternSchema.optional(),
  })
  .refine((selector) => Object.keys(selector).length > 0, 'name an `id`, a `tag`, a `method` or a `path`')

/** Names from the top of an answer, joined by dots; lists are walked through, `*` is any name. */
const answerPathSchema = z
  .string()
  .regex(/^[^.]+(?:\.[^.]+){0,31}$/, 'use names joined by dots, such as `items.name`')
  .max(512)

const pickSchema = z.array(answerPathSchema).min(1).max(256).optional()
const answerBytesSchema = z
  .number()
  .int()
  .min(256)
  .max(64 * 1024 * 1024)
/** Values that are sent with each call and that no model sees, by the name of the argument; `body.name` is a field of the body. */
const fixedArgumentsSchema = z.record(z.string().min(1).max(128), z.json()).default({})

/** What a server of `transport: openapi` has besides limits and pins. */
export const openapiServerFields = {
  transport: z.literal('openapi'),
  /** OpenAPI 3.0 or 3.1, JSON or YAML; a file, relative to the configuration. Nothing it refers to elsewhere is fetched. */
  document: z.string().min(1).max(4096),
  /** Where the API is. Default: the first of the document's `servers`, when it is an address. */
  base_url: baseAddressSchema.optional(),
  /** Fixed headers, for example `authorization: Bearer ${TOKEN}`; their credential id in decisions is `server:<name>`. */
  headers: z.record(z.string(), z.string()).default({}),
  /** Fixed parameters of the query, for APIs that take their key there. */
  query: z.record(z.string().min(1), z.string()).default({}),
  /** Which operations are tools: what one of `include` selects and none of `exclude`. By default those that read. */
  operations: z
    .strictObject({
      include: z
        .array(operationSelectorSchema)
        .min(1)
        .default([{ method: 'get' }]),
      exclude: z.array(operationSelectorSchema).default([]),
    })
    .prefault({}),
  arguments: fixedArgumentsSchema,
  response: z
    .strictObject({
      /** What is kept of a JSON answer; absent: all of it. */
      pick: pickSchema,
      /** A longer answer is cut, and says so. Errors are cut at 8 KB. */
      max_bytes: answerBytesSchema.default(256 * 1024),
      /** Whether tools say what their answers look like (`outputSchema`). An answer that does not is then an error. */
      schema: z.boolean().default(false),
    })
    .prefault({}),
  /** The same for single tools: name or pattern of `id` -> what differs. The first that matches counts. */
  tools: z
    .record(patternSchema, z.strictObject({ arguments: fixedArgumentsSchema, pick: pickSchema, max_bytes: answerBytesSchema.optional() }))
    .default({}),
}
