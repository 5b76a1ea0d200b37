/** Work that is asked for again while it runs: asks that arrive meanwhile are joined into one more round. */
export class JoinedRounds {
  readonly #round: () => Promise<void>
  #isRunning = false
  #isWanted = false

  /** `round`: never rejects. */
  constructor(round: () => Promise<void>) {
    this.#round = round
  }

  /** Returns at once. */
  ask(): void {
    this.#isWanted = true
    if (this.#isRunning) return
    this.#isRunning = true
    this.#run()
      .finally(() => {
        this.#isRunning = false
      })
      .catch(() => {})
  }

  async #run(): Promise<void> {
    while (this.#isWanted) {
      this.#isWanted = false
      await this.#round()
    }
  }
}
