/** Which answers of a route are given again to whoever asks the same. */
import { z } from 'zod'
import { comparingSchema } from './comparing.ts'
import { durationSchema } from './durations.ts'

const shared = {
  /** How long an answer is kept: `90s`, `5m`, `1h`, `2d`; at most 30 days. */
  ttl: durationSchema(['s', 'm', 'h', 'd'], { is: '30d', called: '30 days' }).default('5m'),
  /** Who is given it again: the same principal, principals of exactly the same groups, or everybody. */
  scope: z.enum(['principal', 'group', 'all']).default('principal'),
  /** Largest answer that is kept, in bytes as the upstream sends it. */
  max_bytes: z
    .number()
    .int()
    .min(1024)
    .max(64 * 1024 * 1024)
    .default(1024 * 1024),
  /** Whether requests that define tools, or have calls of them in their conversation, are answered so too. */
  tools: z.boolean().default(false),
  /** The same of requests with pictures, sound or documents. */
  media: z.boolean().default(false),
}

export const cacheSchema = z.discriminatedUnion('kind', [
  /** To the same request, field by field. */
  z.strictObject({ kind: z.literal('exact'), ...shared }),
  /** Also to one whose last words of the user mean nearly the same; all else of it is the same. */
  z.strictObject({
    kind: z.literal('semantic'),
    ...comparingSchema,
    ...shared,
  }),
])
export type CacheConfig = z.infer<typeof cacheSchema>
