/** How much one turn and one session may do, whatever it is for. */
import { z } from 'zod'

const lastingSchema = z
  .strictObject({
    /** Tool calls that models propose, or that come to an MCP endpoint without having been proposed. Not set: any number. */
    calls: z.number().int().min(1).max(1_000_000).optional(),
    /** How often the same tool may be called with the same arguments. Not set: any number of times. */
    identical_calls: z.number().int().min(1).max(1_000_000).optional(),
    /** Milliseconds after its first tool call in which others may be made. Not set: any time. */
    ms: z
      .number()
      .int()
      .min(1000)
      .max(30 * 24 * 3600 * 1000)
      .optional(),
  })
  .prefault({})

export const capsSchema = z.strictObject({
  turn: lastingSchema,
  session: lastingSchema,
  /** How deep agents may start agents: 1 means that those a conversation starts may start none. */
  depth: z.number().int().min(1).max(64).default(8),
})
