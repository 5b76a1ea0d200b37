/** Which answers of a route are given again to whoever asks the same. */
import { z } from 'zod'
import { millisecondsSchema } from './common.ts'

/** How a duration is written: a number of seconds, minutes, hours or days. */
const durationForm = /^[1-9][0-9]{0,5}[smhd]$/
const longestDays = 30
const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Milliseconds of `90s`, `5m`, `1h` or `2d`. */
export function durationMs(text: string): number {
  return Number.parseInt(text, 10) * unitMs[text.at(-1) as keyof typeof unitMs]
}

const shared = {
  /** How long an answer is kept: `90s`, `5m`, `1h`, `2d`; at most 30 days. */
  ttl: z
    .string()
    .regex(durationForm, 'is no duration: write it like `90s`, `5m`, `1h` or `2d`')
    .refine((text) => !durationForm.test(text) || durationMs(text) <= longestDays * unitMs.d, {
      message: `is longer than ${longestDays} days`,
    })
    .default('5m'),
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
    /** A model of embeddings that a route serves. */
    embeddings: z.string().min(1).max(256),
    /** Cosine from which on two texts mean the same; it depends on the model. */
    threshold: z.number().min(0).max(1),
    /** Longest wait for an embedding; after it the upstream is asked as if nothing were kept. */
    timeout_ms: millisecondsSchema.max(60_000).default(2000),
    ...shared,
  }),
])
export type CacheConfig = z.infer<typeof cacheSchema>
