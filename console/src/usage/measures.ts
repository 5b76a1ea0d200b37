/** What can be shown of usage, and how. Pure. */
import type { usageSchema } from '@turnward/contract/api/usage'
import type { z } from 'zod'

export type Usage = z.output<typeof usageSchema>
export type Measure = keyof typeof measures

type Amounts = Pick<Usage['totals'][number], 'calls' | 'failures' | 'inputTokens' | 'outputTokens' | 'cost' | 'unpriced'>

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

export const measures = {
  cost: { name: 'Cost', of: ({ cost }: Amounts) => cost, text: (amount: number) => `$${Number(amount.toPrecision(3))}` },
  tokens: {
    name: 'Tokens',
    of: ({ inputTokens, outputTokens }: Amounts) => inputTokens + outputTokens,
    text: (amount: number) => compact.format(amount),
  },
  calls: { name: 'Calls', of: ({ calls }: Amounts) => calls, text: (amount: number) => compact.format(amount) },
  failures: { name: 'Failures', of: ({ failures }: Amounts) => failures, text: (amount: number) => compact.format(amount) },
} as const

export function isMeasure(text: string): text is Measure {
  return Object.hasOwn(measures, text)
}

export interface Bar {
  readonly start: number
  readonly amount: number
}

const lengths = { hour: 3_600_000, day: 86_400_000 } as const

/** One bar for every hour or day of the span, also for those in which nothing was used. */
export function barsOf({ from, to, step, rows }: Usage, measure: Measure): readonly Bar[] {
  const sums = new Map<number, number>()
  for (const row of rows) sums.set(row.start, (sums.get(row.start) ?? 0) + measures[measure].of(row))
  const bars: Bar[] = []
  const length = lengths[step]
  for (let start = Math.floor(from / length) * length; start < to; start += length) bars.push({ start, amount: sums.get(start) ?? 0 })
  return bars
}
