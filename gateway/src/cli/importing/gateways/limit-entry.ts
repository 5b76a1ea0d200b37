/** A limit of others as a rule of ours. */
import { DraftEntry } from './draft-entry.ts'
import type { Foreign } from './foreign-value.ts'
import type { FoundWindow } from './windows.ts'

export interface ForeignLimit {
  readonly count: 'requests' | 'tokens' | 'input_tokens' | 'output_tokens' | 'cost' | 'concurrent'
  readonly limit: Foreign
  /** Undefined for what is counted while it runs. */
  readonly window: FoundWindow | undefined
  readonly windowFrom?: Foreign | undefined
  readonly per?: string
  readonly match?: object
  /** What is different about it besides its window. */
  readonly why?: string | undefined
}

/** Undefined when the limit is no number, which is then spoken of. */
export function limitEntry({ count, limit, window, windowFrom, per, match, why }: ForeignLimit): DraftEntry | undefined {
  const number = limit.number()
  if (number === undefined) {
    limit.left('it is no number that stands in the file: add a limit by hand')
    return undefined
  }
  const scaled = number * (window?.factor ?? 1)
  const told = [why, window?.why].filter((text) => text !== undefined).join('; ')
  const entry = new DraftEntry()
  if (match !== undefined) entry.set('match', match)
  entry.set('per', per ?? 'none').set('count', count)
  entry.set(
    'limit',
    count === 'cost' ? rounded(scaled) : number <= 0 ? number : Math.max(1, Math.floor(scaled)),
    limit,
    told === '' ? undefined : told,
  )
  if (window !== undefined) entry.set('window', window.window, windowFrom, window.why)
  return entry
}

/** Money and prices without the noise of binary fractions. */
export function rounded(amount: number): number {
  return Number(amount.toPrecision(12))
}
