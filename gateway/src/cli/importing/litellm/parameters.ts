/** `litellm_params` of a deployment, and below them the values of the credential it names. */
import type { Foreign } from '../gateways/foreign-value.ts'

export class Parameters {
  readonly #own: Foreign | undefined
  readonly #shared: Foreign | undefined

  constructor(item: Foreign, shared: ReadonlyMap<string, Foreign>) {
    this.#own = item.get('litellm_params')
    const name = this.#own?.get('litellm_credential_name')
    this.#shared = shared.get(name?.text() ?? '')
    if (name === undefined) return
    if (this.#shared === undefined) name.left('there is no credential of this name in the file')
    else name.carried(this.#shared.at, 'its values stand where they are used')
  }

  get(key: string): Foreign | undefined {
    return this.#own?.get(key) ?? this.#shared?.get(key)
  }
}
