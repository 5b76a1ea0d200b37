/** How long an upstream wants to be left alone, as its answer says: `retry-after` in its spellings, and limits that are used up. */
import type { IncomingHttpHeaders } from 'node:http'

/** Nobody is left alone for longer on its own word: a mistake of a vendor must not last a day. */
export const longestWaitMs = 10 * 60_000

/** Milliseconds; undefined when the answer asks for none. */
export function askedWaitMs(headers: IncomingHttpHeaders, now: number): number | undefined {
  const exact = Number(headers['retry-after-ms'] ?? Number.NaN)
  if (exact >= 0) return Math.min(exact, longestWaitMs)
  return durationMs(headers['retry-after'], now)
}

/**
 * Milliseconds until a limit that has nothing left begins anew: `x-ratelimit-remaining-tokens: 0` with `x-ratelimit-reset-tokens`,
 * as OpenAI, Anthropic, Kong and APISIX spell such pairs. Undefined when something is left of all of them.
 */
export function usedUpMs(headers: IncomingHttpHeaders, now: number): number | undefined {
  let longest: number | undefined
  for (const name in headers) {
    if (headers[name] !== '0' || !name.includes('ratelimit') || !name.includes('remaining')) continue
    const wait = durationMs(headers[name.replace('remaining', 'reset')], now)
    if (wait !== undefined && (longest === undefined || wait > longest)) longest = wait
  }
  return longest
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const spelled = /^(?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h))+$/
/** Larger numbers are points in time and no durations. */
const longestSeconds = 1_000_000_000

/** `12`, `1.5`, `6m0s`, `20ms`, a date, or a Unix time. */
function durationMs(value: string | string[] | undefined, now: number): number | undefined {
  const text = (Array.isArray(value) ? value[0] : value)?.trim().slice(0, 64)
  if (text === undefined || text === '') return undefined
  let ms: number
  const number = Number(text)
  if (!Number.isNaN(number)) ms = number > longestSeconds ? number * 1000 - now : number * 1000
  else if (spelled.test(text)) {
    ms = 0
    for (const [, amount = '', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) ms += Number(amount) * (unitMs[unit] ?? 0)
  } else ms = Date.parse(text) - now
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), longestWaitMs) : undefined
}
