/**
 * Of all processes one renews a token: a second use of one refresh token looks like theft, and takes all tokens away. The others
 * wait and use what came of it.
 */
import type { Clock } from '../../core/clock.ts'
import { randomText } from '../../core/ids.ts'
import type { StateStore } from '../../state/state-store.ts'

export interface RenewingParts {
  readonly state: StateStore
  readonly clock: Pick<Clock, 'now'>
  /** Waits for a moment while another process renews. Milliseconds. */
  readonly pause: (ms: number) => Promise<void>
}

/** Whoever renews is done by then, or gone. */
export const renewalMs = 20_000
const pauseMs = 100

export interface Renewal<T> {
  /** What is being renewed: the same text, the same tokens. */
  readonly name: string
  /** What is kept now. */
  readonly look: () => Promise<T>
  /** Whether that is as good as it will get without renewing it. */
  readonly isGood: (kept: T) => boolean
  readonly renew: (kept: T) => Promise<T>
}

/** What is good in the end; undefined when another process has not got to an end in time. Rejects with what `renew` rejects with. */
export async function renewedAlone<T>(
  { state, clock, pause }: RenewingParts,
  { name, look, isGood, renew }: Renewal<T>,
): Promise<{ readonly kept: T } | undefined> {
  const until = clock.now() + renewalMs
  const mine = { instance: 'renewal', lease: randomText(12), changes: 1 }
  for (;;) {
    const holder = await state.change('lease', name, (before) => ({
      value: before ?? mine,
      expires: clock.now() + renewalMs,
      result: (before ?? mine).lease,
    }))
    const kept = await look()
    if (holder !== mine.lease) {
      if (isGood(kept)) return { kept }
      if (clock.now() >= until) return undefined
      await pause(pauseMs)
      continue
    }
    try {
      return { kept: isGood(kept) ? kept : await renew(kept) }
    } finally {
      await state.change('lease', name, (before) => ({
        value: before?.lease === mine.lease ? undefined : before,
        expires: clock.now() + renewalMs,
        result: undefined,
      }))
    }
  }
}
