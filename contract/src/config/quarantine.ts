/** What is asked of results that a model may not read (`output.as: quarantine`), and by which model. */
import { z } from 'zod'

export const quarantineSchema = z.strictObject({
  /** A model that a route serves. It reads what is withheld, has no tools, and says nothing but bounded answers. */
  model: z.string().min(1).max(256),
  /** Longest answer of that model, in tokens. */
  max_tokens: z.number().int().min(16).max(4096).default(256),
  /** What is kept of one result for questions, in bytes; nothing is answered about what is beyond it. */
  max_result_bytes: z
    .number()
    .int()
    .min(1024)
    .max(1024 * 1024)
    .default(256 * 1024),
  /** How often one result may be asked about; the same question again is the same answer and counts once. */
  max_questions: z.number().int().min(1).max(256).default(16),
  /** How much may be learnt of one result, in bits: log2 of the answers there are, "does not say" included (a yes or no: 1.6). */
  max_bits: z.number().int().min(1).max(4096).default(64),
  /** The same over all results of one session. */
  max_session_bits: z.number().int().min(1).max(65_536).default(1024),
  /**
   * Asks by itself, once, about every result that is withheld: a model sees what the person asked for and which tool was called, never
   * the result, and each of its questions is fixed before the result is looked at. The answers stand with the handle. Not set: only
   * the model of the conversation asks.
   */
  automatic: z
    .strictObject({
      /** A model that a route serves: the one that asks. */
      model: z.string().min(1).max(256),
      /** How often it may ask about one result. */
      max_rounds: z.number().int().min(1).max(16).default(5),
      /** Longest question of that model, in tokens. */
      max_tokens: z.number().int().min(32).max(4096).default(512),
      /** How often it may ask in one session. */
      max_session_rounds: z.number().int().min(1).max(4096).default(64),
    })
    .optional(),
})
