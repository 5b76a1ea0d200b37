/** When an upstream that fails is left alone, as others say it. */
import type { DraftEntry } from './draft-entry.ts'
import type { Foreign } from './foreign-value.ts'

export interface ForeignBreaker {
  /** Failures after which it is left alone, and how many more there have to be. */
  readonly failures: Foreign | undefined
  readonly more?: number
  /** How long, and how many milliseconds each of it has. */
  readonly cooldown: Foreign | undefined
  readonly milliseconds: number
}

const inARow = 'failures one after the other are counted'

export function setBreaker(entry: DraftEntry, { failures, more = 0, cooldown, milliseconds }: ForeignBreaker): void {
  const count = (failures?.number() ?? Number.NaN) + more
  if (Number.isInteger(count) && count >= 1 && count <= 1000) entry.set('breaker.failures', count, failures, inARow)
  const length = Math.round((cooldown?.number() ?? Number.NaN) * milliseconds)
  if (length >= 1 && length <= 24 * 3600 * 1000)
    entry.set('breaker.cooldown_ms', length, cooldown, 'it is longer each time that the upstream fails again')
}
