/**
 * The kind `pii`: what identifies people, by how it is written and by its check digits. What has none (addresses of mail, telephone
 * numbers) is taken where it is written as one; names and places are for a service that knows languages.
 */
import type { GuardConfig } from '@turnward/contract/config'
import { lastRun } from '../findings.ts'
import type { Inspector, MakePlaceholder } from '../guard.ts'
import { findFormats, type KnownFormat } from '../known-formats.ts'
import { hasIbanCheck, hasLuhn } from './checksums.ts'
import { ibanLengths } from './iban-lengths.ts'
import { nationalIds } from './national-ids.ts'

type PiiConfig = Extract<GuardConfig, { kind: 'pii' }>

type Written = Pick<KnownFormat, 'what' | 'source' | 'isOne' | 'isShort'>

const written: Readonly<Record<Exclude<PiiConfig['find'][number], 'national_id'>, Written>> = {
  email: {
    what: 'email',
    source: String.raw`[A-Za-z0-9À-ɏ._%+'-]+@(?:[A-Za-z0-9À-ɏ-]+\.)+[A-Za-zÀ-ɏ]{2,24}`,
    isOne: (text) => text.indexOf('@') <= 64 && text.length <= 254,
  },
  // International, or with the separators that only telephone numbers have.
  phone: {
    what: 'phone',
    isShort: true,
    source: String.raw`(?:\+|\b00)[1-9]\d{0,2}(?:[ ./-]?\(?\d{1,5}\)?){2,6}|\(\d{2,5}\)[ ./-]?\d{3,4}(?:[ ./-]?\d{2,5}){1,3}|\b[2-9]\d{2}[.-][2-9]\d{2}[.-]\d{4}\b`,
    isOne: (text, before, after) => {
      const { length } = digitsOf(text)
      return length >= 8 && length <= 16 && !/[\w.]/.test(before) && !/\w/.test(after)
    },
  },
  iban: {
    what: 'iban',
    isShort: true,
    source: String.raw`(?i)\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{2,4}){2,8}(?:[ ]?[A-Z0-9]{1,4})?\b`,
    isOne: ibanLength,
  },
  card: {
    what: 'card',
    isShort: true,
    source: String.raw`\b[2-6]\d{3}(?:[ -]?\d{2,6}){2,4}\b`,
    isOne: (text, before) => !/[\w.]/.test(before) && cardLength(text),
  },
}

export function inspectPii({ find, countries, restore }: PiiConfig): Inspector {
  const ids = countries.map((country): Written => {
    const { source, isOne } = nationalIds[country]
    return {
      what: `national_id_${country}`,
      isShort: true,
      source,
      isOne: (text, before) => !/[\w.]/.test(before) && isOne(text.replaceAll(/[ ./+-]/g, '')),
    }
  })
  // Of numbers that could be several things, what has check digits counts first.
  const order = ['iban', 'card', 'email', 'phone'] as const
  const known = [...order.filter((kind) => find.includes(kind)).map((kind) => written[kind]), ...ids].map((format): KnownFormat => ({
    ...format,
    instead: (text, placeholder) => instead(format.what, text, placeholder, restore),
  }))
  const lookFor = findFormats(known)
  return {
    find: (text, placeholder) => lookFor(text, placeholder),
    // Numbers have spaces in them; the word before them may be their beginning.
    openFrom(text) {
      const number = lastRun(text, longestNumber, (character) => /[A-F0-9+()./ -]/i.test(character))
      return lastRun(text.slice(0, number), longestHeld, (character) => /[A-Za-z0-9À-ɏ._%+'@-]/.test(character))
    },
  }
}

const longestHeld = 320
const longestNumber = 48

function instead(what: string, text: string, placeholder: MakePlaceholder, isRestored: boolean): string {
  return isRestored ? placeholder(what, text) : `[${what}]`
}

function digitsOf(text: string): string {
  return text.replaceAll(/\D/g, '')
}

/** How much of a run of groups is an IBAN: what stands behind it may only look like a part of it. */
function ibanLength(run: string): number | false {
  const characters = run.replaceAll(' ', '').toUpperCase()
  const length = ibanLengths[characters.slice(0, 2)] ?? Infinity
  return characters.length >= length && hasIbanCheck(characters.slice(0, length)) && lengthOfFirst(run, length)
}

/** The same of the number of a card: 13 to 19 digits (ISO/IEC 7812-1), whole groups of them. */
function cardLength(run: string): number | false {
  const digits = digitsOf(run)
  for (let length = Math.min(19, digits.length); length >= 13; length -= 1) {
    const end = lengthOfFirst(run, length)
    if (!/\d/.test(run.charAt(end)) && hasLuhn(digits.slice(0, length))) return end
  }
  return false
}

/** How many characters of a run have so many letters and digits. */
function lengthOfFirst(run: string, count: number): number {
  let at = 0
  for (let seen = 0; seen < count; at += 1) if (/[A-Z0-9]/i.test(run.charAt(at))) seen += 1
  return at
}
