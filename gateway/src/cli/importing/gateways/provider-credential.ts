/** Credentials of vendors: one for each secret, named after the variable that holds it. */
import { noCredential } from '../../../config/references.ts'
import type { Draft } from './draft.ts'
import { DraftEntry } from './draft-entry.ts'
import type { Foreign } from './foreign-value.ts'

export class ProviderCredentials {
  readonly #draft: Draft
  readonly #names = new Map<string, string>()

  constructor(draft: Draft) {
    this.#draft = draft
  }

  /** The credential that is a secret: `text` holds the reference to it. Undefined when it could not be sent. */
  secret(text: string, from: Foreign | undefined, why: string | undefined): string | undefined {
    const variable = /^\$\{(?:file:)?([^}:]+)/.exec(text)?.[1] ?? 'key'
    return this.add(variable.toLowerCase().replaceAll('_', '-'), new DraftEntry().set('secret', text, from, why))
  }

  /** Any other credential. One that is there already is used again. */
  add(wanted: string, entry: DraftEntry): string | undefined {
    const content = JSON.stringify(entry.value)
    const known = this.#names.get(content)
    if (known !== undefined) {
      entry.taken(`credentials.${known}`)
      return known
    }
    const name = this.#draft.add('credentials', wanted === noCredential ? 'provider-key' : wanted, entry)
    if (name !== undefined) this.#names.set(content, name)
    return name
  }
}
