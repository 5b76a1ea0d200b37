/**
 * Tokens of the gateway itself, by what they are for: had once however many calls wait for one, used until shortly before they
 * end, gone when a server or an authorization server says so. In memory only: whoever starts anew asks anew.
 */
import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'
import type { CancelSignal } from '../../core/cancellation.ts'
import type { Issued } from './token-answer.ts'

export interface MachineToken {
  readonly access: string
  /** Unix milliseconds from which it is not used any more. */
  readonly until: number
}

/** A token is not used any more this long before it ends; of one that lives shortly, for the last quarter of its life. */
const marginMs = 30_000
/** One of which nobody says how long it lives. The server says when it is over. */
const unsaidMs = 600_000
const mostTokens = 1000
/** Whoever waits gives up; the request itself is bounded for all of them. */
const longestMs = 30_000

export class MachineTokens {
  readonly #clock: Pick<Clock, 'now'>
  readonly #tokens = new BoundedMap<string, MachineToken>({ most: mostTokens })
  readonly #asking = new Map<string, Promise<MachineToken>>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  /** A token that can be used now. `refused`: one that was not taken, which is not given again. Rejects as `obtain` does. */
  async get(key: string, obtain: (signal: AbortSignal) => Promise<Issued>, signal: CancelSignal, refused?: string): Promise<MachineToken> {
    const kept = this.#tokens.get(key, this.#clock.now())
    if (kept !== undefined && kept.access !== refused) return kept
    let asking = this.#asking.get(key)
    if (asking === undefined) {
      asking = this.#obtain(key, obtain).finally(() => this.#asking.delete(key))
      asking.catch(() => {})
      this.#asking.set(key, asking)
    }
    return untilAborted(asking, signal)
  }

  async #obtain(key: string, obtain: (signal: AbortSignal) => Promise<Issued>): Promise<MachineToken> {
    this.#tokens.delete(key)
    const { access, expires } = await obtain(AbortSignal.timeout(longestMs))
    const now = this.#clock.now()
    const life = expires === undefined ? unsaidMs : Math.max(0, expires - now)
    const token = { access, until: now + life - Math.min(marginMs, life / 4) }
    this.#tokens.set(key, token, { expires: token.until })
    return token
  }
}

/** What was asked for goes on for whoever else waits. */
function untilAborted<T>(asking: Promise<T>, signal: CancelSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    asking.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
