/**
 * A circuit breaker: after so many failures one after the other nobody is sent there for a while; then one call tries, and
 * what becomes of it decides. It knows no clock and asks nobody.
 */

export interface BreakerSettings {
  /** Failures one after the other that open it. */
  readonly failures: number
  /** How long it stays open the first time. */
  readonly cooldown_ms: number
}

/** `half_open`: one call may try. */
export type BreakerState = 'closed' | 'open' | 'half_open'

/** A call that has begun. What becomes of it counts only if nothing else has decided meanwhile. */
export interface BreakerPass {
  readonly epoch: number
  readonly isProbe: boolean
}

/** As many times the first cooldown is the longest. */
const mostDoubled = 16

export class Breaker {
  /** What opened it last, in words. */
  why = ''
  /** Unix milliseconds until which it is open; 0 when it is closed. */
  until = 0
  #failures = 0
  /** Failures before the last success. */
  #forgotten = 0
  #openings = 0
  #epoch = 0
  #isProbing = false

  stateAt(now: number): BreakerState {
    if (this.until === 0) return 'closed'
    return now < this.until ? 'open' : 'half_open'
  }

  /** Whether a call may be sent there while others can be asked as well. */
  lets(now: number): boolean {
    const state = this.stateAt(now)
    return state === 'closed' || (state === 'half_open' && !this.#isProbing)
  }

  begin(now: number): BreakerPass {
    const isProbe = !this.#isProbing && this.stateAt(now) === 'half_open'
    if (isProbe) this.#isProbing = true
    return { epoch: this.#epoch, isProbe }
  }

  /** Says whether this has closed it. */
  succeeded(pass: BreakerPass): boolean {
    this.#leave(pass)
    if (pass.epoch !== this.#epoch) return false
    this.#forgotten = this.#failures
    this.#failures = 0
    if (this.until === 0) return false
    this.until = 0
    this.#openings = 0
    this.#epoch += 1
    return true
  }

  /** Says whether this has opened it. */
  failed(pass: BreakerPass, now: number, why: string, { failures, cooldown_ms: first }: BreakerSettings): boolean {
    this.#leave(pass)
    // What began before it opened, or was sent there for want of anybody else, says nothing new.
    if (pass.epoch !== this.#epoch || this.stateAt(now) === 'open') return false
    this.#failures += 1
    if (this.until === 0 && this.#failures < failures) return false
    this.until = now + first * Math.min(2 ** this.#openings, mostDoubled)
    this.why = why
    this.#openings += 1
    this.#epoch += 1
    return true
  }

  /** What was taken for a success just now was none: an error in an answer with status 200. Says whether this has opened it. */
  belied(now: number, why: string, settings: BreakerSettings): boolean {
    this.#failures = this.#forgotten
    return this.failed(this.begin(now), now, why, settings)
  }

  /** It ended without saying anything of the upstream: its client left. */
  dropped(pass: BreakerPass): void {
    this.#leave(pass)
  }

  #leave({ epoch, isProbe }: BreakerPass): void {
    if (isProbe && epoch === this.#epoch) this.#isProbing = false
  }
}
