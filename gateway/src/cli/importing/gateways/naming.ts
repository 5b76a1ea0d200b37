/** Names of things in the configuration, out of what others call them. */
import { looksSecret } from '../../../config/masking.ts'

/** At most this long, so that there is room for a number behind it. */
const longest = 56

/** A text as a name: what cannot be in one becomes a dash. */
export function plainName(text: string): string {
  const name = text
    .replaceAll(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, longest)
    .replace(/[^A-Za-z0-9]+$/, '')
  return name === '' ? 'imported' : name
}

/** Names of one section, of which each is given once. However many want the same one, no number is tried again that somebody has. */
export class FreeNames {
  readonly #numbers = new Map<string, number>()

  /** The name, or the name with the first number that nobody has. */
  of(wanted: string, isThere: (name: string) => boolean): string {
    const name = plainName(wanted)
    for (let number = this.#numbers.get(name) ?? 1; ; number += 1) {
      const free = number === 1 ? name : `${name}-${number}`
      if (isThere(free)) continue
      this.#numbers.set(name, number)
      return free
    }
  }
}

/** A name of theirs as it may be told: what does not look like one is not repeated. */
export function toldName(text: string | undefined): string {
  const isName = text !== undefined && /^[A-Za-z][A-Za-z0-9_./-]{0,60}$/.test(text) && !/\d{6}|[A-Za-z]{24}/.test(text)
  return isName && !looksSecret(text) ? `\`${text}\`` : 'this'
}
