/**
 * Label values that come from outside (model and tool names) may not make a metric grow without end: the first ones
 * are kept, the rest is `other`.
 */
export class BoundedNames {
  readonly #seen = new Set<string>()
  readonly #limit: number

  constructor(limit = 500) {
    this.#limit = limit
  }

  /** The name itself while there is room for it, else `other`. Names longer than 128 characters are `other`. */
  of(name: string): string {
    if (this.#seen.has(name)) return name
    if (name.length > 128 || this.#seen.size >= this.#limit) return 'other'
    this.#seen.add(name)
    return name
  }
}
