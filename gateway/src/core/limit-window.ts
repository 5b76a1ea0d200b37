/** The time a limit counts in: when the present one began, and when it is over. */

/** `sliding`: the last so many milliseconds. `calendar`: from midnight, Monday or the first of the month. `whole`: it is never over. */
export type LimitWindow =
  | { readonly kind: 'sliding'; readonly ms: number }
  | { readonly kind: 'calendar'; readonly unit: 'day' | 'week' | 'month'; readonly timezone: string }
  | { readonly kind: 'whole' }

type CalendarWindow = Extract<LimitWindow, { kind: 'calendar' }>

/** Unix milliseconds; `to` is not in it. */
export interface Span {
  readonly from: number
  readonly to: number
}

const hourMs = 3600 * 1000
const dayMs = 24 * hourMs

/** The window this moment is in. A sliding one is counted in two halves that follow each other: see `limit-use.ts`. */
export function spanAt(window: LimitWindow, now: number): Span {
  if (window.kind === 'whole') return { from: 0, to: Infinity }
  if (window.kind === 'sliding') {
    const from = now - (now % window.ms)
    return { from, to: from + window.ms }
  }
  return calendarSpan(window, now)
}

/** Calendars change seldom, and are asked several times with each call: by the windows that limits have, which are few. */
const known = new WeakMap<CalendarWindow, Span>()

function calendarSpan(window: CalendarWindow, now: number): Span {
  const before = known.get(window)
  if (before !== undefined && now >= before.from && now < before.to) return before
  const { unit, timezone } = window
  const { year, month, day } = dateIn(timezone, now)
  const weekday = (new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7
  const [first, next] = {
    day: [Date.UTC(year, month - 1, day), Date.UTC(year, month - 1, day + 1)],
    week: [Date.UTC(year, month - 1, day - weekday), Date.UTC(year, month - 1, day - weekday + 7)],
    month: [Date.UTC(year, month - 1, 1), Date.UTC(year, month, 1)],
  }[unit] as [number, number]
  const span = { from: midnightIn(timezone, first), to: midnightIn(timezone, next) }
  known.set(window, span)
  return span
}

/** When the day begins that has this date (as milliseconds of UTC) there: the first moment of it, also where midnight is skipped. */
function midnightIn(timezone: string, date: number): number {
  const hasBegun = (time: number): boolean => {
    const { year, month, day } = dateIn(timezone, time)
    return Date.UTC(year, month - 1, day) >= date
  }
  // Zones are at most 14 hours ahead and 12 behind; what they change by is a multiple of a quarter of an hour.
  let [before, after] = [date - 15 * hourMs, date + dayMs]
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (hasBegun(middle)) after = middle
    else before = middle
  }
  return after
}

const formats = new Map<string, Intl.DateTimeFormat>()

function dateIn(timezone: string, time: number): { year: number; month: number; day: number } {
  let format = formats.get(timezone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en', { timeZone: timezone, year: 'numeric', month: 'numeric', day: 'numeric' })
    formats.set(timezone, format)
  }
  const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]))
  return { year: parts.get('year') ?? 0, month: parts.get('month') ?? 0, day: parts.get('day') ?? 0 }
}
