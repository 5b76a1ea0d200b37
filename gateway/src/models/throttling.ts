/**
 * Whether an answer says "too many", in the words of edges: APISIX answers 503 or 429 with how much is left and never with
 * `retry-after`, which is what clients wait by.
 */
import type { IncomingHttpHeaders } from 'node:http'

export interface Throttling {
  /** Until it is worth trying again, where the answer says so. */
  readonly retryAfterSeconds: number | undefined
}

/** A longer time is a date in disguise. */
const longestSeconds = 86_400

/** Undefined for any other answer. */
export function throttlingOf(status: number, headers: IncomingHttpHeaders): Throttling | undefined {
  if (status !== 429 && !(status === 503 && isUsedUp(headers))) return undefined
  return { retryAfterSeconds: headers['retry-after'] === undefined ? resetOf(headers) : undefined }
}

/** `x-ai-ratelimit-*` tells what was left before this call. Plain `x-ratelimit-*` counts it in: then a 503 may be the upstream's own, and the edge says so. */
function isUsedUp(headers: IncomingHttpHeaders): boolean {
  for (const name in headers) if (name.startsWith('x-ai-ratelimit-remaining-') && headers[name] === '0') return true
  const { 'x-ratelimit-remaining': left, 'x-apisix-upstream-status': upstreamStatus } = headers
  return left === '0' && upstreamStatus === undefined
}

function resetOf(headers: IncomingHttpHeaders): number | undefined {
  const resets: number[] = []
  for (const name in headers) {
    const isEmpty = name.startsWith('x-ai-ratelimit-reset-') && headers[name.replace('-reset-', '-remaining-')] === '0'
    if (isEmpty || name === 'x-ratelimit-reset' || name === 'ratelimit-reset') resets.push(Number(headers[name]))
  }
  const known = resets.filter((seconds) => Number.isFinite(seconds) && seconds >= 0 && seconds <= longestSeconds)
  return known.length === 0 ? undefined : Math.ceil(Math.max(...known))
}
