/** Which lines name something: by its name, or by a pattern. Patterns are found by what they begin with, so most are never tried. */
import { compilePattern } from './patterns.ts'

interface PatternLines {
  readonly matches: (name: string) => boolean
  readonly lines: number[]
}

export class NamedLines {
  readonly #exact = new Map<string, number[]>()
  readonly #patterns = new Map<string, PatternLines>()
  /** By the text before the first `*`. */
  readonly #byBeginning = new Map<string, PatternLines[]>()
  readonly #lengths: number[] = []

  add(pattern: string, line: number): void {
    if (!pattern.includes('*')) {
      const lines = this.#exact.get(pattern)
      if (lines === undefined) this.#exact.set(pattern, [line])
      else lines.push(line)
      return
    }
    const known = this.#patterns.get(pattern)
    if (known !== undefined) {
      known.lines.push(line)
      return
    }
    const entry = { matches: compilePattern(pattern), lines: [line] }
    const beginning = pattern.slice(0, pattern.indexOf('*'))
    const alike = this.#byBeginning.get(beginning)
    if (alike === undefined) this.#byBeginning.set(beginning, [entry])
    else alike.push(entry)
    this.#patterns.set(pattern, entry)
    if (!this.#lengths.includes(beginning.length)) this.#lengths.push(beginning.length)
  }

  /** Hands each line that names it to `found`, in no order, some perhaps twice. */
  each(name: string, found: (line: number) => void): void {
    for (const line of this.#exact.get(name) ?? []) found(line)
    for (const length of this.#lengths) {
      if (length > name.length) continue
      for (const { matches, lines } of this.#byBeginning.get(name.slice(0, length)) ?? []) {
        if (matches(name)) for (const line of lines) found(line)
      }
    }
  }
}
