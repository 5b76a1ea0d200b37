/** Changes of fields of requests and answers, as JSON Patch. */
import { z } from 'zod'

/** A place in a body, at most 16 steps deep; the whole is none. */
const placeSchema = z
  .string()
  .max(512)
  .regex(/^(?:\/(?:[^~/]|~[01])+){1,16}$/, 'use a JSON Pointer to a field, such as `/metadata/team`, of at most 16 steps')

const written = {
  path: placeSchema,
  /** What is written there, as it stands. */
  value: z.unknown().optional(),
  /** In place of `value`: CEL that says what is written there. */
  expression: z.string().min(1).max(2000).optional(),
}

type Written = { readonly value?: unknown; readonly expression?: string | undefined }
const isWritten = ({ value, expression }: Written): boolean => (value === undefined) !== (expression === undefined)
const eitherOf = { message: 'needs either `value` or `expression`' }

const changeSchema = z.discriminatedUnion('op', [
  /** Writes a field, whether it is there or not; in a list, puts something before what stands there (`-`: at the end). */
  z.strictObject({ op: z.literal('add'), ...written }).refine(isWritten, eitherOf),
  /** Writes a field that must be there. */
  z.strictObject({ op: z.literal('replace'), ...written }).refine(isWritten, eitherOf),
  /** Takes a field out, where it is there. */
  z.strictObject({ op: z.literal('remove'), path: placeSchema }),
  /** Takes it out at `from`, where it must be, and writes it at `path`. */
  z.strictObject({ op: z.literal('move'), from: placeSchema, path: placeSchema }),
])

export const transformSchema = z.strictObject({
  /** Whose bodies they are: pointers are those of a dialect. */
  dialects: z.array(z.enum(['chat-completions', 'messages', 'responses', 'gemini', 'converse'])).min(1),
  /** What is changed; of answers, those that are not streamed. */
  on: z.enum(['request', 'response']).default('request'),
  /** A CEL condition: where it does not hold, nothing is changed. */
  when: z.string().min(1).max(2000).optional(),
  /** The changes, in their order: all of them are made, or none. */
  patch: z.array(changeSchema).min(1).max(32),
  /** When they cannot be made: `refuse` refuses the call, `skip` lets it go on without them, on record. */
  on_failure: z.enum(['refuse', 'skip']).default('refuse'),
})
