/**
 * A value that is looked for in texts, prepared once: what it is (an address, a number, an account, …) and every way in which
 * the same value may be written. Whether a text has it is linear in the text.
 */
import { dateWritings, spansWith } from './dates.ts'
import { isWhole } from './boundaries.ts'
import { normalValue, type NormalText } from './normal-text.ts'
import { canonicalUrl, hasUrl } from './urls.ts'

export type ValueForm = 'text' | 'email' | 'url' | 'number' | 'compact' | 'date' | 'exact'

export interface SoughtValue {
  readonly form: ValueForm
  /** One text for all writings of the value: what lists, endorsements and what is remembered are compared by. */
  readonly canonical: string
  readonly isIn: (text: NormalText) => boolean
  /** Whether somebody who was told the text could have made the value of it. Absent: where it is in it. */
  readonly isSaidBackFrom?: (text: NormalText) => boolean
}

/** Longer values are looked for in no text. */
export const longestSought = 16_384

const email = /^[^\s@<>,;"]{1,256}@[^\s@<>,;"]{1,256}$/
const number = /^-?(?:\d{1,15}|\d{1,3}(?:[,'\u00a0\u202f]\d{3}){1,4})(?:\.\d{1,12})?$/
/** Fewer digits are no account and no telephone number. */
const shortestAccount = 7
const iban = /^[a-z]{2}\d{2}(?:[ -]?[a-z0-9]){11,30}$/
const phone = /^(?:\+|00)?[\d ()./-]{7,32}$/

export function soughtValue(value: string): SoughtValue {
  const folded = normalValue(value)
  // White space at its ends is no part of a value, and a value that is nothing else says nothing.
  if (folded === undefined || folded === '') return exactly(value)
  if (folded.length > longestSought) return { form: 'text', canonical: `t:${folded}`, isIn: () => false }
  const url = canonicalUrl(value.trim())
  if (url !== undefined) return { form: 'url', canonical: `u:${url.href}`, isIn: (text) => hasUrl(text, url) }
  if (email.test(folded)) return { form: 'email', canonical: `t:${folded}`, isIn: (text) => contains(text.folded, folded, ':') }
  const numeric = isNumber(folded) ? canonicalNumber(folded) : undefined
  if (numeric !== undefined) return { form: 'number', canonical: `n:${numeric}`, isIn: searches(...numberPatterns(numeric)) }
  const dates = dateWritings(folded)
  if (dates !== undefined) {
    const [canonical, ...parts] = dates
    const spans = spansWith(folded) ?? []
    const [days] = parts
    return {
      form: 'date',
      canonical: `t:${canonical}`,
      isIn: ({ folded: text }) =>
        contains(text, folded) ||
        parts.every(
          (writings) =>
            writings.some((one) => contains(text, one)) || (writings === days && spans.some((pattern) => occurs(pattern, text))),
        ),
    }
  }
  const compact = compactOf(folded)
  if (compact !== undefined) return { form: 'compact', canonical: `c:${compact}`, isIn: searches(compactPattern(compact)) }
  return { form: 'text', canonical: `t:${folded}`, isIn: (text) => contains(text.folded, folded) }
}

function exactly(value: string): SoughtValue {
  return {
    form: 'exact',
    canonical: `x:${value}`,
    isIn: (text) => value.trim() !== '' && value.length <= longestSought && contains(text.raw, value),
  }
}

/** Whether a text has the value as a whole. */
function contains(text: string, value: string, before?: string): boolean {
  for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + 1)) {
    if (isWhole(text, at, at + value.length, before)) return true
  }
  return false
}

function searches(...patterns: readonly RegExp[]): SoughtValue['isIn'] {
  return ({ folded }) => patterns.some((pattern) => occurs(pattern, folded))
}

function occurs(pattern: RegExp, text: string): boolean {
  pattern.lastIndex = 0
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    if (isWhole(text, found.index, found.index + found[0].length)) return true
    pattern.lastIndex = found.index + 1
  }
  return false
}

/** Digits with zeros in front are names of something. */
function isNumber(folded: string): boolean {
  return number.test(folded) && !/^-?0\d/.test(folded)
}

/** `1,000.00` is `1000`, `-2.50` is `-2.5`. */
function canonicalNumber(folded: string): string {
  const digits = folded.replace(/[^\d.-]/g, '')
  const [whole = '', fraction = ''] = digits.split('.')
  const rest = fraction.replace(/0+$/, '')
  const text = rest === '' ? whole : `${whole}.${rest}`
  return text === '-0' ? '0' : text
}

/** The number however it is grouped, and not as a part of another one; a long one may be an account in groups of its own. */
function numberPatterns(canonical: string): readonly RegExp[] {
  const sign = canonical.startsWith('-') ? '-' : ''
  const [whole = '', fraction = ''] = canonical.slice(sign.length).split('.')
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, "[,' ]?")
  const after = fraction === '' ? '(?:\\.0+)?' : `\\.${fraction}0*`
  // A sign of its own, or more digits beyond any mark, would make it another number; so would a group of three beyond a space.
  const marks = whole.length % 3 === 0 ? "[.,' ]" : "[.,']"
  const pattern = new RegExp(`(?<![-\\d]|\\d${marks})${sign}${grouped}${after}(?!\\d|[.,']\\d| \\d{3}(?!\\d))`, 'gu')
  return fraction === '' && sign === '' && whole.length >= shortestAccount ? [pattern, compactPattern(whole)] : [pattern]
}

/** An account or telephone number without what only groups it. */
function compactOf(folded: string): string | undefined {
  if (iban.test(folded)) {
    const compact = folded.replace(/[ -]/g, '')
    if (compact.length >= 15 && compact.length <= 34) return compact
  }
  if (!phone.test(folded)) return undefined
  const digits = folded.replace(/[^\d+]/g, '')
  const compact = digits.startsWith('00') ? `+${digits.slice(2)}` : digits
  return compact.replace('+', '').length >= shortestAccount ? compact : undefined
}

function compactPattern(compact: string): RegExp {
  const isInternational = compact.startsWith('+')
  const characters = Array.from(isInternational ? compact.slice(1) : compact)
  const start = isInternational ? '(?:\\+|00)' : '(?<![+\\d])'
  return new RegExp(`${start}${characters.join('[ ().\\/-]{0,2}')}`, 'gu')
}
