/**
 * JSON whose numbers arrive as they were written. JSON.parse turns 9007199254740993 into …992 and 1e400 into nothing;
 * here a number that would change stays its own text, a raw number, which JSON.stringify and canonicalJson write back
 * as it came. Who must decide on the value of a number refuses raw ones instead.
 */
import { isObject, isRawJSON, rawJSON, type JsonValue } from './json.ts'
import { survives } from './number-literals.ts'
import { endOfNumber, endOfString, parseJson, readNumbers } from './parse-json.ts'

/** As `parseJson`, with a raw number wherever a double would have another value. Throws SyntaxError. */
export function parseExactJson(text: string): unknown {
  const value = parseJson(text)
  return losesNumbers(text) ? readNumbers(text, exactNumber) : value
}

/** Digits that every double keeps (DBL_DIG), so that shorter literals without an exponent need no look. */
const safeLength = 15

/** Whether JSON.parse would change a number of this text, which must be valid JSON. One pass that jumps over strings. */
export function losesNumbers(text: string): boolean {
  const { length } = text
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) {
      const end = endOfString(text, at + 1)
      if (end < 0) return false
      at = end
    } else if (code >= 0x30 && code <= 0x39) {
      const start = at
      while (isDigitOrPoint(text.charCodeAt(at + 1))) at++
      const hasExponent = (text.charCodeAt(at + 1) | 0x20) === 0x65
      if (!hasExponent && at - start < safeLength) continue
      // The sign makes no number survive or not.
      const end = endOfNumber(text, start)
      if (!survives(text.slice(start, end))) return true
      at = end - 1
    }
  }
  return false
}

function isDigitOrPoint(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2e
}

function exactNumber(literal: string): JsonValue {
  return survives(literal) ? Number(literal) : rawJSON(literal)
}

/** The literal of a number, raw or not; undefined for any other value. */
export function numberText(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return isRawJSON(value) ? value.rawJSON : undefined
}

/** Keys that lead to the first raw number in a parsed value; empty when it is one itself, undefined when there is none. */
export function pathToRawNumber(value: unknown): readonly string[] | undefined {
  if (isRawJSON(value)) return []
  if (!Array.isArray(value) && !isObject(value)) return undefined
  for (const [key, child] of Object.entries(value)) {
    const path = pathToRawNumber(child)
    if (path !== undefined) return [key, ...path]
  }
  return undefined
}
