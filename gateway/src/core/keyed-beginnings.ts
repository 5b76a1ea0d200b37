/**
 * Where chains of plain hashes begin that nobody outside can compute: a keyed hash of who or what they belong to,
 * remembered, because it is the same for call after call. Never shown to anybody.
 */
import { keyedHash } from './hash.ts'

const mostKnown = 10_000

export class KeyedBeginnings {
  readonly #known = new WeakMap<Uint8Array, Map<string, string>>()

  /** Keyed hash (base64url) of the parts, as `keyedHash`. */
  of(key: Uint8Array, ...parts: readonly string[]): string {
    let known = this.#known.get(key)
    if (known === undefined || known.size >= mostKnown) {
      known = new Map()
      this.#known.set(key, known)
    }
    const name = JSON.stringify(parts)
    let beginning = known.get(name)
    if (beginning === undefined) {
      beginning = keyedHash(key, ...parts)
      known.set(name, beginning)
    }
    return beginning
  }
}
