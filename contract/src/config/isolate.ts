/** Tasks that a model has done in a session of their own (`turnward__isolated`), of which nothing but one bounded answer comes back. */
import { z } from 'zod'
import { millisecondsSchema, nameSchema } from './common.ts'

export const isolateSchema = z.strictObject({
  /** A model that a route serves: the one that does the task. */
  model: z.string().min(1).max(256),
  /** The gateway whose tools a task may use, as far as the caller may. */
  gateway: nameSchema,
  /** How often the model is asked within one task. */
  max_rounds: z.number().int().min(1).max(64).default(8),
  /** Tool calls within one task. */
  max_calls: z.number().int().min(1).max(256).default(16),
  /** Longest answer of the model, in tokens. */
  max_tokens: z.number().int().min(64).max(65_536).default(2048),
  /** Longest time of one task. */
  timeout_ms: millisecondsSchema.default(300_000),
  /** How much the answer to one task may say, in bits; counted as for `quarantine`. */
  max_bits: z.number().int().min(1).max(4096).default(64),
  /** The same over all tasks of one session. */
  max_session_bits: z.number().int().min(1).max(65_536).default(1024),
})
