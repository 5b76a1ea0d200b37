/** Which answers of a route are given again to whoever asks the same. */
import { z } from 'zod'

/** How a duration is written: a number of seconds, minutes, hours or days. */
const durationForm = /^[1-9][0-9]{0,5}[smhd]$/
const longestDays = 30
const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Milliseconds of `90s`, `5m`, `1h` or `2d`. */
export function durationMs(text: string): number {
  return Number.parseInt(text, 10) * unitMs[text.at(-1) as keyof typeof unitMs]
}

export const cacheSchema = z.strictObject({
  /** `exact`: to the same request, field by field. */
  kind: z.enum(['exact', 'semantic']).refine((kind) => kind !== 'semantic', {
    message: '`routes[].cache.kind: semantic` is not available yet in this release: use `exact`',
    params: { code: 'config.not_available' },
  }),
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
})
export type CacheConfig = z.infer<typeof cacheSchema>
