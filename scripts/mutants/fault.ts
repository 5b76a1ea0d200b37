/**
 * A deliberate fault, and how one is written down:
 *
 *     name-of-what-is-broken in function of file, noticed by tests, more tests
 *     - what stands there
 *     + what stands there instead (nothing: it is taken out)
 *
 * Lines that begin with `#` are remarks.
 */

export interface Fault {
  /** Says what is broken, in kebab-case; `--only` selects by it. */
  readonly name: string
  /** The function, `Class.method`, `#method` or constant that is broken. */
  readonly place: string
  /** The end of the file's path without `.ts`. It only chooses among several places of one name: a file may move. */
  readonly stem: string
  /** Must occur exactly once in the place; compared word by word, however the lines are broken. */
  readonly from: string
  readonly to: string
  /** Ends of paths of test files without `.test.ts`, or of folders with a `/` at the end, or of a path that begins so with a `*`. */
  readonly tests: readonly string[]
}

const head = /^([a-z0-9-]+) in (\S+) of (\S+), noticed by (\S+(?:, \S+)*)$/

/** Reads a file of faults. Throws an Error that names the line it cannot read. */
export function readFaults(text: string): readonly Fault[] {
  const faults: Fault[] = []
  let current: { readonly heading: RegExpExecArray; readonly from: string[]; readonly to: string[] } | undefined
  const finish = (): void => {
    if (current === undefined) return
    const [, name = '', place = '', stem = '', tests = ''] = current.heading
    faults.push({ name, place, stem, from: current.from.join('\n'), to: current.to.join('\n'), tests: tests.split(', ') })
    current = undefined
  }
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue
    const change = /^([-+]) (.*)$/.exec(line)
    const heading = change === null ? head.exec(line) : null
    if (heading !== null) {
      finish()
      current = { heading, from: [], to: [] }
    } else if (change !== null && current !== undefined) (change[1] === '-' ? current.from : current.to).push(change[2] ?? '')
    else throw new Error(`line ${index + 1} is no part of a fault: ${line}`)
  }
  finish()
  return faults
}

/** What is wrong with a list before any of it is tried. */
export function listProblems(faults: readonly Fault[]): readonly string[] {
  const names = faults.map(({ name }) => name)
  return names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${name}: there is another fault of this name`)
}
