/**
 * Keeps one best-effort stream open for as long as its owner lives: opens it again, ever more slowly, when it
 * breaks, and gives up when the server says it has none.
 */
const firstDelayMs = 1000
const longestDelayMs = 60_000

export class StreamKeeper {
  readonly #closing = new AbortController()
  readonly #run: (signal: AbortSignal, opened: () => void) => Promise<boolean>
  #timer: NodeJS.Timeout | undefined
  #delay = firstDelayMs

  /** `run` lives as long as the stream; it calls `opened` when the stream works and resolves with whether to try again. */
  constructor(run: (signal: AbortSignal, opened: () => void) => Promise<boolean>) {
    this.#run = run
    this.#begin()
  }

  close(): void {
    this.#closing.abort()
    clearTimeout(this.#timer)
  }

  #begin(): void {
    // What breaks the keeper itself leaves the stream closed: it is best effort, and the next list tells the same.
    this.#open().catch(() => this.close())
  }

  async #open(): Promise<void> {
    const opened = (): void => {
      this.#delay = firstDelayMs
    }
    const again = await this.#run(this.#closing.signal, opened).catch(() => true)
    if (!again || this.#closing.signal.aborted) return
    this.#timer = setTimeout(() => this.#begin(), this.#delay * (0.5 + Math.random() / 2))
    this.#timer.unref()
    this.#delay = Math.min(this.#delay * 2, longestDelayMs)
  }
}
