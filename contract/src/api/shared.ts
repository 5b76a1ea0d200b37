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

/** A name that is looked for. */
export const nameSchema = z.string().min(1).max(512)

const longestTime = 8.64e15

/** A moment, as a query says it. */
export const momentSchema = z
  .string()
  .max(64)
  .transform((text, context): number => {
    const time = /^\d{1,16}$/.test(text) ? Number(text) : Date.parse(text)
    if (Number.isFinite(time) && Math.abs(time) <= longestTime) return time
    context.addIssue({ code: 'custom', message: 'it is neither Unix milliseconds nor an ISO 8601 date' })
    return z.NEVER
  })

/** Where a list goes on. Only the list that gave it knows what it means. */
export const cursorSchema = z.string().max(512).meta({ description: 'The `next` of the answer before; with the same filters.' })
