/** What clients ask a route for, where the other gateway finds it by a path: the model's own name, as long as only one route has it. */

const longest = 128

export class ModelNames {
  readonly #taken = new Set<string>()
  /** The number that the next one tries first, by what was wanted and where. */
  readonly #numbers = new Map<string, number>()

  /**
   * The name that is wanted; behind the name of their route where another one has it. A pattern is always behind it: what may
   * ask for every model of one route may not ask for those of all.
   */
  take(wanted: string, route: string): string {
    const asked = JSON.stringify([wanted, route])
    for (let number = this.#numbers.get(asked) ?? (wanted.includes('*') ? 2 : 1); ; number += 1) {
      const name = (number === 1 ? wanted : number === 2 ? `${route}/${wanted}` : `${route}-${number - 1}/${wanted}`).slice(0, longest)
      if (this.#taken.has(name) && number < 10_000) continue
      this.#taken.add(name)
      this.#numbers.set(asked, number + 1)
      return name
    }
  }
}
