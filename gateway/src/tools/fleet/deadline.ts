/** How long a server may take. The time that somebody else takes for it is not its own. */
export class Deadline {
  readonly #reached: () => void
  #leftMs: number
  #since = performance.now()
  #timer: NodeJS.Timeout | undefined
  #paused = 0

  /** `reached` is called once, unless it has ended before. */
  constructor(ms: number, reached: () => void) {
    this.#reached = reached
    this.#leftMs = ms
    this.#timer = setTimeout(reached, ms)
  }

  /** The time this takes does not count. */
  async paused<T>(run: () => Promise<T>): Promise<T> {
    if (this.#paused === 0) {
      clearTimeout(this.#timer)
      this.#leftMs -= performance.now() - this.#since
    }
    this.#paused += 1
    try {
      return await run()
    } finally {
      this.#paused -= 1
      if (this.#paused === 0 && this.#timer !== undefined) {
        this.#since = performance.now()
        this.#timer = setTimeout(this.#reached, Math.max(0, this.#leftMs))
      }
    }
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
