/** Upstreams of the draft: those that are alike in everything are one. */
import type { Draft } from './draft.ts'
import type { DraftEntry } from './draft-entry.ts'

export class SharedUpstreams {
  readonly #draft: Draft
  readonly #names = new Map<string, string>()

  constructor(draft: Draft) {
    this.#draft = draft
  }

  /** Its name; undefined when it would be refused. `isOwn`: it is one by itself, because something is counted there. */
  take(wanted: string, entry: DraftEntry, isOwn = false): string | undefined {
    const content = JSON.stringify(entry.value)
    const known = isOwn ? undefined : this.#names.get(content)
    if (known !== undefined) {
      entry.taken(`upstreams.${known}`)
      return known
    }
    const name = this.#draft.add('upstreams', wanted, entry)
    if (name !== undefined && !isOwn) this.#names.set(content, name)
    return name
  }
}
