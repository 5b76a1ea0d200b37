/** One entry of the configuration that is being made, with where each of its settings comes from. */
import type { Foreign } from './foreign-value.ts'

interface Source {
  readonly from: Foreign
  readonly key: string
  readonly why: string | undefined
}

export class DraftEntry {
  readonly value: Record<string, unknown> = {}
  readonly #sources: Source[] = []

  /** Sets a setting, `aws.profile` one of a map in it. `from`: what it comes from; `why`: what is different about it. */
  set(key: string, value: unknown, from?: Foreign, why?: string): this {
    const steps = key.split('.')
    const last = steps.pop() ?? key
    let map = this.value
    for (const step of steps) map = (map[step] ??= {}) as Record<string, unknown>
    map[last] = value
    return from === undefined ? this : this.from(from, key, why)
  }

  /** Says of a value that it stands at a setting of this entry. */
  from(from: Foreign, key: string, why?: string): this {
    this.#sources.push({ from, key, why })
    return this
  }

  /** The entry stands at this place now. */
  taken(place: string): void {
    for (const { from, key, why } of this.#sources) from.carried(key === '' ? place : `${place}.${key}`, why)
  }

  /** The entry stands nowhere. */
  refused(why: string): void {
    for (const { from } of this.#sources) from.left(why)
  }
}
