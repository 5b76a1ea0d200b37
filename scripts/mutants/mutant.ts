/** A deliberate fault: one exact replacement in one file, and the tests that must notice it. Pure; touches no file. */

export interface Mutant {
  /** Says what is broken, in kebab-case; `--only` selects by it. */
  readonly name: string
  /** Relative to the root of the checkout. */
  readonly file: string
  /** Must occur exactly once in the file. */
  readonly find: string
  readonly replace: string
  /** Test files, or parts of their paths, as vitest takes them. */
  readonly tests: readonly string[]
}

/** The text with the fault in it. Throws an Error that names the mutant when `find` does not occur exactly once or nothing would change. */
export function withFault(mutant: Mutant, text: string): string {
  const { name, file, find, replace } = mutant
  const parts = text.split(find)
  const count = find === '' ? 0 : parts.length - 1
  if (count !== 1) throw new Error(`${name}: \`find\` occurs ${count} times in ${file}, and must occur once`)
  if (find === replace) throw new Error(`${name}: \`replace\` is the same as \`find\``)
  return parts.join(replace)
}

/** What is wrong with a list before any of it is tried: names given twice, mutants without tests. */
export function listProblems(mutants: readonly Mutant[]): string[] {
  const names = mutants.map(({ name }) => name)
  const twice = names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${name}: there is another mutant of this name`)
  return [...twice, ...mutants.filter(({ tests }) => tests.length === 0).map(({ name }) => `${name}: it names no test`)]
}
