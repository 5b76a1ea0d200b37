/** Time as an argument, so that everything that depends on it can be tested without waiting. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number
  /** Milliseconds that never go back, for durations. */
  monotonic(): number
}

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }
