/** What a tool keeps for later, or reads again, in contracts. */
import { z } from 'zod'

const argumentSchema = z
  .string()
  .regex(/^[^.$\s*]{1,64}(?:\.[^.$\s*]{1,64}){0,15}$/, 'name an argument as in `$args.<path>`, without that prefix')

/** Argument values that name what is written and read; `all` where none does. */
export const remembersSchema = z.union([
  z.literal('all'),
  z.strictObject({
    /** Each value of each of these arguments names something of its own; a call without any means everything. */
    by: z.union([argumentSchema, z.array(argumentSchema).min(1).max(8)]),
    /** The values are folders: what lies below them is meant too. */
    below: z.boolean().default(false),
  }),
])
