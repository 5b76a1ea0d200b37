/** The newest of what has come, the newest first: what is shown, and what waits to be. A bounded number of each. Pure but for itself. */

/** Rows that are shown, and that wait. */
export const mostRows = 100

export class Tail<Row> {
  #shown: readonly Row[] = []
  #waiting: Row[] = []
  #count = 0

  get shown(): readonly Row[] {
    return this.#shown
  }

  /** How many have come that are not shown; of those the newest are kept. */
  get waiting(): number {
    return this.#count
  }

  /** Those that have come, the oldest first. */
  add(rows: readonly Row[]): void {
    this.#count += rows.length
    this.#waiting = [...this.#waiting, ...rows].slice(-mostRows)
  }

  /** Shows what waits. */
  show(): void {
    this.#shown = [...this.#waiting.toReversed(), ...this.#shown].slice(0, mostRows)
    this.#waiting = []
    this.#count = 0
  }
}
