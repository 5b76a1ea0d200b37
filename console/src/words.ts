/** How amounts, durations and labels are written. */
import type { LabelRecord } from '@turnward/contract/decision'

export function durationText(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  return milliseconds < 60_000 ? `${(milliseconds / 1000).toFixed(1)} s` : `${Math.round(milliseconds / 60_000)} min`
}

/** Dollars; what has no known price is named, never counted as nothing. */
export function moneyText(amount: number, unpriced: readonly string[] | undefined): string {
  const more = unpriced === undefined || unpriced.length === 0 ? undefined : `unpriced (${unpriced.join(', ')})`
  if (amount === 0 && more !== undefined) return more
  return [`$${Number(amount.toPrecision(3))}`, ...(more === undefined ? [] : [more])].join(' + ')
}

export function labelText({ trust, audience }: LabelRecord): string {
  const readers = audience.length === 0 ? 'public' : audience.map((clause) => clause.join(' or ')).join(' and ')
  return `${trust}, readable by ${readers === '' ? 'nobody' : readers}`
}

export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
