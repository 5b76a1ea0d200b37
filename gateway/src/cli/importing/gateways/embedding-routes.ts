/** Models of embeddings that words are compared with, as routes: caches and balances name them, and nobody is granted them. */
import type { Draft } from './draft.ts'
import { DraftEntry } from './draft-entry.ts'
import { literal } from './foreign-text.ts'
import type { ModelNames } from './model-names.ts'
import { routeTarget } from './route-target.ts'

export class EmbeddingRoutes {
  readonly #draft: Draft
  readonly #names: ModelNames
  readonly #known = new Map<string, string>()

  constructor(draft: Draft, names: ModelNames) {
    this.#draft = draft
    this.#names = names
  }

  /** What whoever compares calls the model, as it is written there; undefined when its route would be refused. */
  take(upstream: string, model: string): string | undefined {
    const content = JSON.stringify([upstream, model])
    const known = this.#known.get(content)
    if (known !== undefined) return known
    const name = this.#names.take(`embeddings/${model}`, 'cache')
    const entry = new DraftEntry().set('model', literal(name)).set('upstreams', [routeTarget(upstream, model, name)])
    if (!this.#draft.push('routes', entry)) return undefined
    this.#known.set(content, literal(name))
    return literal(name)
  }
}
