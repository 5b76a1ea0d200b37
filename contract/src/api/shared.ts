/** What all of the administration API has in common: errors, times, lists. */
import { z } from 'zod'

/** What a request is refused with: the same six parts as everywhere (docs/errors.md). */
export const apiErrorSchema = z
  .object({
    error: z.object({
      code: z.string().meta({ description: 'Stable; see docs/errors.md.' }),
      message: z.string(),
      subject: z.string().optional(),
      why: z.string().optional(),
      fix: z.string(),
      turn: z.string().optional(),
    }),
  })
  .meta({ id: 'Error' })

/** Unix milliseconds. */
export const timeSchema = z.int().meta({ description: 'Unix milliseconds.' })

/** How many of a list one answer has at most. */
export function limitSchema(usual: number, most: number): z.ZodType<number> {
  return z.coerce.number().int().min(1).max(most).default(usual)
}
