/**
 * How much of the traffic of an upstream may be asked again: every call adds a fifth of one, every repetition takes one. So an
 * upstream in trouble gets at most a fifth more than its callers send, and a few repetitions where they are few.
 */

const share = 0.2
const atFirst = 3
/** What was not used is kept for so many repetitions. */
const most = 100

export class RetryBudget {
  #left = atFirst

  /** A call is sent for the first time. */
  add(): void {
    this.#left = Math.min(most, this.#left + share)
  }

  /** Whether one may be sent again; it counts then. */
  take(): boolean {
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }
}
