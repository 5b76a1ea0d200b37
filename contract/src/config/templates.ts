/** Prompts with blanks that callers fill in. */
import { z } from 'zod'

/** Messages of an operator, with roles that every dialect knows. */
export const addedMessageSchema = z.strictObject({
  role: z.enum(['system', 'user', 'assistant']),
  /** What it says, as it goes to the model; of a template, with `{{name}}` where a value goes. */
  text: z.string().min(1).max(32_000),
})

/** Names that clients call templates by; those of APISIX have spaces in them. */
export const templateNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9 _.-]{0,126}[A-Za-z0-9_.-])?$/, 'use 1-128 letters, digits, `_`, `.`, `-` or spaces between them')

const variableNameSchema = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'use 1-63 letters, digits or `_`, and no digit first')

export const templateSchema = z
  .strictObject({
    /** The conversation it makes. */
    messages: z.array(addedMessageSchema).min(1).max(32).optional(),
    /** In place of `messages`: the text of one message of the user. */
    text: z.string().min(1).max(32_000).optional(),
    /** The model of a request that names none. */
    model: z.string().min(1).max(256).optional(),
    /** What is to be said of variables; those that need no word stand in the text alone. */
    variables: z
      .record(
        variableNameSchema,
        z.strictObject({
          /** Its value where the caller gives none. */
          default: z.string().max(32_000).optional(),
          /** Most characters of a value. */
          longest: z.number().int().min(1).max(1_000_000).default(16_000),
        }),
      )
      .default({}),
  })
  .refine(({ messages, text }) => (messages === undefined) !== (text === undefined), { message: 'needs either `messages` or `text`' })

/** Which templates may be called: these; or any, and nothing else may be said. */
export const routeTemplatesSchema = z.union([z.literal('required'), z.array(templateNameSchema).min(1).max(256)])
