/** How often something was tried within a while, at all replicas together. An attempt counts before it is made, so that many at once are no way around it. */
import type { StateStore } from '../state/state-store.ts'

export interface AttemptLimit {
  readonly most: number
  /** In milliseconds. */
  readonly windowMs: number
}

/** Counts an attempt at `now` (Unix milliseconds); or resolves with after how many seconds the next one may be made, and counts nothing. */
export async function countAttempt(
  state: StateStore,
  key: string,
  { most, windowMs }: AttemptLimit,
  now: number,
): Promise<number | undefined> {
  return state.change('attempts', key, (before = []) => {
    const recent = before.filter((at) => at > now - windowMs)
    const [oldest] = recent
    if (oldest !== undefined && recent.length >= most)
      return { value: before, expires: now + windowMs, result: Math.max(1, Math.ceil((oldest + windowMs - now) / 1000)) }
    return { value: [...recent, now], expires: now + windowMs, result: undefined }
  })
}
