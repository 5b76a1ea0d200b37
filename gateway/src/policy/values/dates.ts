/** Dates and times as people write them, for values in the form machines do (ISO 8601). */

const iso = /^(\d{4})-(\d{2})-(\d{2})(?:[t ](\d{2}):(\d{2})(?::(\d{2})(?:\.0+)?)?(?:z|[+-]00:00)?)?$/
const clock = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/
const months = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december']

/**
 * The canonical form, then for each part of the value (its day, its time) the ways to write it, one of which a text has to have.
 * Undefined for what is no date and no time. Folded text in, folded text out.
 */
export function dateWritings(folded: string): readonly [string, ...(readonly string[])[]] | undefined {
  const time = clock.exec(folded)
  if (time !== null) {
    const writings = timeWritings(Number(time[1]), time[2] ?? '00', time[3])
    return writings === undefined ? undefined : [folded, writings]
  }
  const [, year, month, day, hour, minute, second] = iso.exec(folded) ?? []
  if (year === undefined || month === undefined || day === undefined) return undefined
  const days = dayWritings(year, Number(month), Number(day))
  if (days === undefined) return undefined
  if (hour === undefined || minute === undefined) return [folded, days]
  const times = timeWritings(Number(hour), minute, second)
  return times === undefined ? undefined : [folded.replace('t', ' '), days, times]
}

function dayWritings(year: string, month: number, day: number): readonly string[] | undefined {
  const name = months[month - 1]
  if (name === undefined || day < 1 || day > 31) return undefined
  const [mm, dd] = [`${month}`.padStart(2, '0'), `${day}`.padStart(2, '0')]
  const numeric = [`${year}-${mm}-${dd}`, `${year}/${mm}/${dd}`, `${dd}.${mm}.${year}`, `${day}.${month}.${year}`]
  const names = name === 'may' ? [name] : [name, name.slice(0, 3)]
  const ordinal = `${day}${suffixOf(day)}`
  return [
    ...numeric,
    ...names.flatMap((one) =>
      [`${one} ${day}`, `${one} ${ordinal}`, `${day} ${one}`, `${ordinal} ${one}`, `${ordinal} of ${one}`, `${day}. ${one}`].flatMap(
        (spoken) => [`${spoken} ${year}`, `${spoken}, ${year}`],
      ),
    ),
  ]
}

const joined = '(?: ?[-\u2013] ?| to | until | till | through | and )'
const ordinals = '(?:st|nd|rd|th)?'

/**
 * Finds a day in folded text as one end of a span that says the year once: `January 11th to January 15th 2025`, `11-15 January 2025`.
 * Undefined for what is no day. What is found ends where the span does, and begins where it begins.
 */
export function spansWith(folded: string): readonly RegExp[] | undefined {
  const [, year, month, day] = iso.exec(folded) ?? []
  const name = months[Number(month) - 1]
  if (year === undefined || day === undefined || name === undefined) return undefined
  const own = `${Number(day)}(?:${suffixOf(Number(day))})?`
  const names = `(?:${name}|${name.slice(0, 3)})`
  const other = `\\d{1,2}${ordinals}`
  // In a span that begins in another year than it ends the year of its beginning is not said.
  const later = months.slice(Number(month) - 1).flatMap((one) => [one, one.slice(0, 3)])
  const end = `,? ${year}`
  return [
    `${names} ${own}${joined}(?:(?:${later.join('|')}) )?${other}${end}`,
    `${names} ${other}${joined}${own}${end}`,
    `${own}${joined}${other}(?: of)? ${names}${end}`,
    `${own}(?: of)? ${names}${joined}${other}(?: of)? (?:${later.join('|')})${end}`,
  ].map((pattern) => new RegExp(pattern, 'gu'))
}

function timeWritings(hour: number, minute: string, second: string | undefined): readonly string[] | undefined {
  if (hour > 23 || Number(minute) > 59 || (second !== undefined && Number(second) > 59)) return undefined
  const twelve = hour % 12 === 0 ? 12 : hour % 12
  const half = hour < 12 ? 'am' : 'pm'
  if (second !== undefined && second !== '00') return [`${`${hour}`.padStart(2, '0')}:${minute}:${second}`, `${hour}:${minute}:${second}`]
  const hours = [`${hour}`.padStart(2, '0'), `${hour}`].map((one) => `${one}:${minute}`)
  const full = minute === '00' ? [`${twelve} ${half}`, `${twelve}${half}`] : []
  return [...hours, ...hours.map((one) => `${one}:00`), `${twelve}:${minute} ${half}`, `${twelve}:${minute}${half}`, ...full]
}

function suffixOf(day: number): string {
  if (day >= 11 && day <= 13) return 'th'
  return ['th', 'st', 'nd', 'rd'][day % 10] ?? 'th'
}
