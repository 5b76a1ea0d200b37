/** What this process has last seen of a place: never more than a guess, which a write checks. It saves asking for what has not changed. */
import { BoundedMap } from '../../core/bounded-map.ts'
import { parseJson } from '../../core/parse-json.ts'
import type { VersionedValue } from './versioned-place.ts'

const mostCopies = 50_000
const mostBytes = 64 * 1024 * 1024

/** A value with the version it had. */
export interface Copy {
  readonly version: string
  /** Not to be changed. */
  readonly value: unknown
  /** Until when it lives, by the clock of the place (Unix milliseconds), where this process has written it. */
  readonly expires?: number
}

export class Copies {
  readonly #copies = new BoundedMap<string, Copy>({ most: mostCopies, maxBytes: mostBytes })

  get(name: string): Copy | undefined {
    return this.#copies.get(name)
  }

  /** Takes up what was read. A text that is known already is not parsed again. */
  take(name: string, { version, text }: VersionedValue): Copy {
    const known = this.#copies.get(name)
    if (known !== undefined && known.version === version) return known
    const copy = { version, value: text === undefined ? undefined : parseJson(text) }
    this.keep(name, copy, text?.length ?? 0)
    return copy
  }

  keep(name: string, copy: Copy, size: number): void {
    this.#copies.set(name, copy, { size: size + name.length, expires: Infinity })
  }
}
