/** When a key ends, as people write it. Pure. */
import { TurnwardError } from '../core/error.ts'

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of `30m`, `24h`, `7d` or `0`. Throws `request.invalid` about `subject`. */
export function overlapOf(text: string, subject: string): number {
  const span = text === '0' ? 0 : spanOf(text)
  if (span === undefined) throw new TurnwardError('request.invalid', { subject, why: 'use a span such as 30m, 24h or 7d, or 0' })
  return span
}

/** Unix milliseconds of an ISO date or a span from now; undefined for `never`. Throws `request.invalid` about `subject`. */
export function expiryOf(text: string, now: number, subject: string): number | undefined {
  if (text === 'never') return undefined
  const span = spanOf(text)
  const at = span === undefined ? Date.parse(text) : now + span
  if (Number.isNaN(at))
    throw new TurnwardError('request.invalid', { subject, why: 'use an ISO date, a span such as 12h or 30d, or `never`' })
  return at
}

function spanOf(text: string): number | undefined {
  const span = /^(\d{1,5})([mhd])$/.exec(text)
  return span === null ? undefined : Number(span[1]) * (units[span[2] ?? 'd'] ?? 0)
}
