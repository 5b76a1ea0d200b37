/** Roles of arguments in contracts, and the named lists of values they refer to. */
import { z } from 'zod'
import { nameSchema } from './common.ts'

/**
 * `destination`: where something goes. `authority`: what is done to what, and how much. `content`: what is said; it may come
 * from anywhere unless the contract says otherwise.
 */
const roleSchema = z.enum(['destination', 'authority', 'content'])

const sourcesSchema = z.array(z.enum(['principal', 'operator', 'trusted', 'endorsed'])).min(1)

/** Name of an argument, without dots. */
const partSchema = z.string().regex(/^[^.$\s*?]{1,64}$/)

/** An argument of a tool in a contract: its role alone, or with what is asked of its values. */
export const argumentSchema = z.union([
  roleSchema,
  z
    .strictObject({
      role: roleSchema,
      /** Which sources count: the person's own words, the operator's instructions, what is trusted enough, what a person endorsed. Default: all. */
      from: sourcesSchema.optional(),
      /** Which sources count once the session has read something less trusted than the rank; before that any value may pass. Instead of `from`. */
      after_untrusted: sourcesSchema.optional(),
      /** It is the id of a record of this kind (`output.records.of`): where the person's words count, so does the id of a record that they name. */
      record: nameSchema.optional(),
      /** The rank that is enough, or `any`. Default: `requires.trust`, else the highest; of content `any`. */
      trust: z.string().min(1).optional(),
      /** Lists of `values` whose entries need no other source. */
      values: z.array(nameSchema).max(16).default([]),
      /**
       * Arguments beside this one that name one thing with it, which is what needs a source then: a repository as `acme/shop`
       * (`path`), an issue of it as `acme/shop#5` (`number`). Where one of `path` is left out, each is asked for by itself.
       */
      with: z.strictObject({ path: z.array(partSchema).max(4).default([]), number: partSchema.optional() }).optional(),
      /** With `role: content`: whether links and addresses in it need a source of their own, like an authority. */
      links: z.enum(['trusted', 'any']).default('any'),
    })
    .refine(({ from, after_untrusted }) => from === undefined || after_untrusted === undefined, {
      message: 'say `from`, which counts always, or `after_untrusted`, which counts only then: not both',
    }),
])

const fieldSchema = z.string().min(1).max(64)

/** What a result lists: it is one record, or a list of them. */
export const recordsSchema = z.strictObject({
  /** What they are; any name that arguments refer to by `record`. */
  of: nameSchema,
  /** The field with the id, which nobody but the server chooses. */
  id: fieldSchema,
  /** The fields that people call a record by. */
  names: z.array(fieldSchema).min(1).max(8),
  /** Where they are in the result, with dots for nested names; not set: the result itself. */
  at: z
    .string()
    .regex(/^[^.\s]{1,64}(?:\.[^.\s]{1,64}){0,7}$/, 'name a field, with dots for nested ones')
    .optional(),
})

/** Paths as in `$args.<path>`, without that prefix; `*` is every argument that no other line names. */
export const argumentsSchema = z.record(
  z
    .string()
    .regex(/^(?:\*|[^.$\s*]{1,64}(?:\.[^.$\s*]{1,64}){0,15})$/, 'name an argument, with dots for nested ones, or `*` for all others'),
  argumentSchema,
)

/** What the entries of a list are; not set: each is what it looks like. */
export const valueKinds = ['text', 'email', 'domain', 'url', 'phone', 'iban', 'account', 'channel', 'repository'] as const

const entriesSchema = z.array(z.string().min(1).max(2048)).min(1).max(10_000)

/** A named list of values, for `values` of an argument. */
export const valueListSchema = z.union([entriesSchema, z.strictObject({ kind: z.enum(valueKinds), values: entriesSchema })])
