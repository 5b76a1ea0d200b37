/**
 * How long it takes until an answer begins, as a moving average that follows a rise at once and a fall slowly (peak EWMA, as
 * Finagle and linkerd have it). What nobody asks is forgotten with time, so that it is tried again.
 */

/** Time in which two thirds of what was measured is forgotten. */
const memoryMs = 30_000

export class PeakLatency {
  #ms: number | undefined
  #at = 0

  /** `now` never goes back. */
  note(ms: number, now: number): void {
    const kept = this.at(now) ?? 0
    const share = Math.exp(-(now - this.#at) / memoryMs)
    this.#ms = this.#ms === undefined || ms > kept ? ms : kept + ms * (1 - share)
    this.#at = now
  }

  /** Undefined before the first was measured. */
  at(now: number): number | undefined {
    return this.#ms === undefined ? undefined : this.#ms * Math.exp(-(now - this.#at) / memoryMs)
  }
}
