/** Answers that another gateway gives again, as `cache` of a route. */
import { type ForeignComparing, setComparing } from './comparing.ts'
import type { DraftEntry } from './draft-entry.ts'
import type { Foreign } from './foreign-value.ts'

export interface ForeignCache {
  /** What says that it is there. */
  readonly said: readonly Foreign[]
  /** How long an answer is kept, in seconds. */
  readonly ttl: Foreign | undefined
  /** The largest answer that is kept, in bytes. */
  readonly size?: Foreign | undefined
  /** How questions are compared; without it the same request alone is answered so. */
  readonly semantic?: ForeignComparing | undefined
}

const longestDays = 30
const units = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const
const mostOfUnit = 999_999

const isNarrower =
  'principals are kept apart, and requests with tools or media take no part, unless `scope`, `tools` and `media` of `cache` say otherwise'

/** Sets the cache of a route; one that it has already stays. */
export function setCache(route: DraftEntry, { said, ttl, size, semantic }: ForeignCache): void {
  if (route.value['cache'] !== undefined) return
  route.set('cache.kind', semantic === undefined ? 'exact' : 'semantic')
  if (semantic !== undefined) setComparing(route, 'cache', semantic, isAlike)
  for (const from of said) route.from(from, 'cache.kind', isNarrower)
  const seconds = ttl?.number()
  if (ttl !== undefined && (seconds === undefined || seconds <= 0)) ttl.left('it is no length of time: answers are kept for five minutes')
  if (ttl !== undefined && seconds !== undefined && seconds > 0) {
    const [text, why] = durationText(seconds)
    route.set('cache.ttl', text, ttl, why)
  }
  const bytes = size?.number()
  if (size === undefined) return
  if (bytes !== undefined && Number.isInteger(bytes) && bytes >= 1024 && bytes <= 64 * 1024 * 1024)
    route.set('cache.max_bytes', bytes, size)
  else size.left('the largest answer that is kept has from a kilobyte to 64 megabytes')
}

const isAlike = 'the last words of the user are compared, and everything else of a request has to be the same'

/** Seconds as `cache.ttl` has them, and what is different. */
export function durationText(seconds: number): readonly [text: string, why?: string] {
  if (seconds > longestDays * 86_400) return [`${longestDays}d`, `answers are kept for ${longestDays} days at most`]
  const whole = Math.max(1, Math.round(seconds))
  const [unit, length] = units.find(([, one]) => whole % one === 0) ?? units[3]
  if (whole / length <= mostOfUnit) return whole === seconds ? [`${whole / length}${unit}`] : [`${whole / length}${unit}`, 'it is rounded']
  return [`${Math.floor(whole / 60)}m`, 'it is rounded']
}
