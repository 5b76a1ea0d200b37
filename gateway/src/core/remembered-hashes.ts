/** Keyed hashes of who or what call after call belongs to, remembered because they are the same every time. */
import { BoundedMap } from './bounded-map.ts'
import { keyedHash } from './hash.ts'

const mostKnown = 10_000

export class RememberedHashes {
  readonly #known = new WeakMap<Uint8Array, BoundedMap<string, string>>()

  /** Keyed hash (base64url) of the parts, as `keyedHash`. */
  of(key: Uint8Array, ...parts: readonly string[]): string {
    let known = this.#known.get(key)
    if (known === undefined) {
      known = new BoundedMap({ most: mostKnown })
      this.#known.set(key, known)
    }
    const name = JSON.stringify(parts)
    let hash = known.get(name)
    if (hash === undefined) {
      hash = keyedHash(key, ...parts)
      known.set(name, hash)
    }
    return hash
  }
}
