/** So many at a time, in the order in which they ask. */
import type { CancelSignal } from '../../core/cancellation.ts'

export class Slots {
  readonly #most: () => number
  readonly #waiting = new Set<() => void>()
  #taken = 0

  constructor(most: () => number) {
    this.#most = most
  }

  /** Resolves when there is one: true. False, without one, as soon as nobody wants it any more. */
  take(signal: CancelSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false)
    if (this.#taken < this.#most()) {
      this.#taken += 1
      return Promise.resolve(true)
    }
    return new Promise((resolve) => {
      const have = (): void => {
        signal.removeEventListener('abort', leave)
        resolve(true)
      }
      const leave = (): void => {
        this.#waiting.delete(have)
        resolve(false)
      }
      this.#waiting.add(have)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  give(): void {
    // Whoever waits longest has it now, unless there are fewer than before.
    const [next] = this.#taken <= this.#most() ? this.#waiting : []
    if (next === undefined) {
      this.#taken -= 1
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
