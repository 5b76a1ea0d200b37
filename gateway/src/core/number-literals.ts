/**
 * Numbers as JSON writes them, compared by their decimal value. Text, never arithmetic: a literal may have any number
 * of digits and any exponent, and the cost is one pass over it.
 */

/** Whether a JSON number literal still has its value after JSON.parse and JSON.stringify. `1.0` has; 9007199254740993 and 1e400 have not. */
export function survives(literal: string): boolean {
  const value = Number(literal)
  if (!Number.isFinite(value)) return false
  // Times and most identifiers end here: integers this small are all exact.
  if (Number.isSafeInteger(value) && isInteger(literal)) return true
  const written = String(value)
  return written === literal || compareNumbers(written, literal) === 0
}

function isInteger(literal: string): boolean {
  return !literal.includes('.') && !literal.includes('e') && !literal.includes('E')
}

/** Negative, 0 or positive as the first literal is less than, equal to or greater than the second. `-0` equals `0`. */
export function compareNumbers(first: string, second: string): number {
  const a = decimalOf(first)
  const b = decimalOf(second)
  if (a.sign !== b.sign) return a.sign - b.sign
  if (a.magnitude !== b.magnitude) return a.magnitude < b.magnitude ? -a.sign : a.sign
  if (a.digits === b.digits) return 0
  return a.digits < b.digits ? -a.sign : a.sign
}

interface Decimal {
  readonly sign: -1 | 0 | 1
  /** Significant digits, the first and the last not 0. In order of value for one magnitude. */
  readonly digits: string
  /** The value is 0.digits times ten to this power; 0 for zero. */
  readonly magnitude: number
}

const zero = 0x30

function decimalOf(literal: string): Decimal {
  const isNegative = literal.startsWith('-')
  const mark = literal.search(/[eE]/)
  const mantissa = literal.slice(isNegative ? 1 : 0, mark < 0 ? undefined : mark)
  const exponent = mark < 0 ? 0 : Number(literal.slice(mark + 1))
  const point = mantissa.indexOf('.')
  const whole = point < 0 ? mantissa.length : point
  const digits = point < 0 ? mantissa : mantissa.slice(0, point) + mantissa.slice(point + 1)
  let first = 0
  while (digits.charCodeAt(first) === zero) first++
  // Not `/0+$/`, which takes quadratic time on zeros that something else follows.
  let last = digits.length
  while (last > first && digits.charCodeAt(last - 1) === zero) last--
  if (first === last) return { sign: 0, digits: '', magnitude: 0 }
  return { sign: isNegative ? -1 : 1, digits: digits.slice(first, last), magnitude: whole - first + exponent }
}
