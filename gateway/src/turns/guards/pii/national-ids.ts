/** National ids, by country: how each is written, and what its maker has put into it to know it by. A table, a line each. */
import type { GuardConfig } from '@turnward/contract/config'
import { hasLuhn, hasMod1110, hasVerhoeff, remainder, weighted } from './checksums.ts'

type Country = Extract<GuardConfig, { kind: 'pii' }>['countries'][number]

export interface NationalId {
  /** Pattern of RE2. */
  readonly source: string
  /** Whether it is one, without what separates its parts. */
  readonly isOne: (id: string) => boolean
}

const controlLetters = 'TRWAGMYFPDXBNJZSQVHLCKE'
const finnishMarks = '0123456789ABCDEFHJKLMNPRSTUVWXY'

export const nationalIds: Readonly<Record<Country, NationalId>> = {
  // Sozialversicherungsnummer
  at: {
    source: String.raw`\b\d{4}[ ]?\d{6}\b`,
    isOne: (id) => isDay(id.slice(4, 6)) && weighted(id, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 === Number(id[3]),
  },
  // Tax file number
  au: { source: String.raw`\b\d{3}[ ]\d{3}[ ]\d{3}\b`, isOne: (id) => weighted(id, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0 },
  // Rijksregisternummer
  be: {
    source: String.raw`\b\d{2}\.?\d{2}\.?\d{2}-?\d{3}[.-]?\d{2}\b`,
    isOne: (id) => [id.slice(0, 9), `2${id.slice(0, 9)}`].some((digits) => 97 - remainder(digits, 97) === Number(id.slice(9))),
  },
  // CPF
  br: { source: String.raw`\b\d{3}\.\d{3}\.\d{3}-\d{2}\b`, isOne: isCpf },
  // Social insurance number
  ca: { source: String.raw`\b[1-9]\d{2}[ -]\d{3}[ -]\d{3}\b`, isOne: hasLuhn },
  // AHV number
  ch: {
    source: String.raw`\b756\.?\d{4}\.?\d{4}\.?\d{2}\b`,
    isOne: (id) => weighted(id, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 === 0,
  },
  // Rodné číslo
  cz: { source: String.raw`\b\d{6}/\d{4}\b`, isOne: (id) => remainder(id, 11) === 0 },
  // Steuerliche Identifikationsnummer
  de: { source: String.raw`\b[1-9]\d[ ]?\d{3}[ ]?\d{3}[ ]?\d{3}\b`, isOne: (id) => hasMod1110(id) && repeatsOnce(id.slice(0, 10)) },
  // CPR number: its check digit is no longer kept to
  dk: { source: String.raw`\b\d{6}-\d{4}\b`, isOne: (id) => isDay(id.slice(0, 2)) && isMonth(id.slice(2, 4)) },
  // DNI and NIE
  es: {
    source: String.raw`\b[XYZ\d]\d{7}-?[A-Z]\b`,
    isOne: (id) => controlLetters[Number(id.slice(0, -1).replace(/[XYZ]/, (letter) => String('XYZ'.indexOf(letter)))) % 23] === id.at(-1),
  },
  // Henkilötunnus
  fi: {
    source: String.raw`\b\d{6}[-+A-FU-Y]\d{3}[0-9A-Z]\b`,
    isOne: (id) => finnishMarks[Number(id.slice(0, 6) + id.slice(-4, -1)) % 31] === id.at(-1),
  },
  // Numéro de sécurité sociale
  fr: {
    source: String.raw`\b[1-478][ ]?\d{2}[ ]?\d{2}[ ]?(?:\d{2}|2[AB])[ ]?\d{3}[ ]?\d{3}[ ]?\d{2}\b`,
    isOne: (id) => 97 - remainder(id.slice(0, 13).replace('2A', '19').replace('2B', '18'), 97) === Number(id.slice(13)),
  },
  // National Insurance number
  gb: {
    source: String.raw`\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ ]?\d{2}[ ]?\d{2}[ ]?\d{2}[ ]?[A-D]\b`,
    isOne: (id) => !/^(?:BG|GB|KN|NK|NT|TN|ZZ)/.test(id),
  },
  // Aadhaar
  in: { source: String.raw`\b[2-9]\d{3}[ ]?\d{4}[ ]?\d{4}\b`, isOne: hasVerhoeff },
  // Codice fiscale
  it: { source: String.raw`\b[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b`, isOne: hasFiscalCheck },
  // Burgerservicenummer
  nl: { source: String.raw`\b\d{9}\b`, isOne: (id) => Number(id) > 0 && weighted(id, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0 },
  // Fødselsnummer
  no: {
    source: String.raw`\b\d{6}[ ]?\d{5}\b`,
    isOne: (id) =>
      isDay(id.slice(0, 2)) &&
      weighted(id, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 &&
      weighted(id, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0,
  },
  // PESEL
  pl: {
    source: String.raw`\b\d{11}\b`,
    isOne: (id) => isDay(id.slice(4, 6)) && weighted(id, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0,
  },
  // NIF
  pt: {
    source: String.raw`\b[1-35-9]\d{8}\b`,
    isOne: (id) => (Math.max(0, 11 - (weighted(id, [9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11) % 10 === Number(id[8]),
  },
  // Personnummer
  se: { source: String.raw`\b(?:\d{2})?\d{6}[-+]\d{4}\b`, isOne: (id) => isDay(id.slice(-6, -4)) && hasLuhn(id.slice(-10)) },
  // Social Security number
  us: { source: String.raw`\b\d{3}[- ]\d{2}[- ]\d{4}\b`, isOne: (id) => !/^(?:000|666|9\d\d)|^\d{3}00|0000$/.test(id) },
}

/** A day of a month; those of some kinds of ids have 40 or 60 added. */
function isDay(digits: string): boolean {
  const day = Number(digits) % 40
  return day >= 1 && day <= 31
}

function isMonth(digits: string): boolean {
  return Number(digits) >= 1 && Number(digits) <= 12
}

/** One digit of the first ten stands there two or three times, and no other one does. */
function repeatsOnce(digits: string): boolean {
  const counts = Array.from('0123456789', (digit) => digits.split(digit).length - 1).filter((count) => count > 1)
  return counts.length === 1 && (counts[0] ?? 0) <= 3
}

function isCpf(id: string): boolean {
  const check = (length: number): number =>
    ((weighted(
      id,
      Array.from({ length }, (_, place) => length + 1 - place),
    ) *
      10) %
      11) %
    10
  return !/^(\d)\1+$/.test(id) && check(9) === Number(id[9]) && check(10) === Number(id[10])
}

const oddValues = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]

function hasFiscalCheck(code: string): boolean {
  const sum = Array.from(code.slice(0, 15)).reduce((total, character, place) => {
    const value = /\d/.test(character) ? Number(character) : character.charCodeAt(0) - 65
    return total + (place % 2 === 0 ? (oddValues[value] ?? 0) : value)
  }, 0)
  return String.fromCharCode(65 + (sum % 26)) === code[15]
}
