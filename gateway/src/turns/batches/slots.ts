/** So many at a time, in the order in which they ask. */

export class Slots {
  readonly #most: () => number
  readonly #waiting: (() => void)[] = []
  #taken = 0

  constructor(most: () => number) {
    this.#most = most
  }

  /** Resolves when there is one. */
  take(): Promise<void> {
    if (this.#taken < this.#most()) {
      this.#taken += 1
      return Promise.resolve()
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  give(): void {
    // Whoever waits longest has it now, unless there are fewer than before.
    const next = this.#taken <= this.#most() ? this.#waiting.shift() : undefined
    if (next === undefined) this.#taken -= 1
    else next()
  }
}
