/** Lengths of time in which others count, as windows that there are here. */

export interface FoundWindow {
  readonly window: '1m' | '1h' | '1d' | 'calendar_week' | 'calendar_month'
  /** What a limit is to be multiplied with, so that as much fits into the same time. */
  readonly factor: number
  /** What is different about it. */
  readonly why: string | undefined
}

const day = 86_400
const sliding = [
  [day, '1d'],
  [3600, '1h'],
  [60, '1m'],
] as const

/** The window for so many seconds. One that there is not becomes the next shorter one, with its share of the limit. */
export function windowOf(seconds: number): FoundWindow | undefined {
  if (!Number.isFinite(seconds) || seconds <= 0) return undefined
  const exact = sliding.find(([length]) => length === seconds)
  if (exact !== undefined) return { window: exact[1], factor: 1, why: undefined }
  if (seconds === 7 * day) return { window: 'calendar_week', factor: 1, why: 'a week begins on Monday here' }
  if (seconds >= 28 * day && seconds <= 31 * day)
    return { window: 'calendar_month', factor: 1, why: 'a month of the calendar takes the place of the days' }
  const [length, window] =
    seconds > 31 * day ? ([30 * day, 'calendar_month'] as const) : (sliding.find(([shorter]) => shorter <= seconds) ?? sliding[2])
  return {
    window,
    factor: length / seconds,
    why: `there is no window of ${seconds} seconds here: as much for the same time is counted in another one`,
  }
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: day, w: 7 * day, mo: 30 * day }

/** Seconds of `30d`, `1h`, `60s`, `1mo`; undefined for everything else. */
export function secondsOf(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,6})(mo|[smhdw])$/.exec(text.trim()) ?? []
  return count === undefined || unit === undefined ? undefined : Number(count) * (units[unit] ?? 0)
}
