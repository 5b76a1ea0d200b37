/** `balancer.algorithm: semantic` of `ai-proxy-advanced`: a description of each target is what ours is compared with as an example. */
import { DraftEntry } from '../gateways/draft-entry.ts'
import { literal } from '../gateways/foreign-text.ts'
import { leave } from '../gateways/foreign-value.ts'
import type { ModelNames } from '../gateways/model-names.ts'
import { routeTarget } from '../gateways/route-target.ts'
import { leftOfAuth, leftOfOptions } from './left-out.ts'
import type { KongPlugin } from './plugins.ts'
import { takeTarget, type KongMaking, type KongTarget, type KongTimes } from './target.ts'

export interface KongSemantic {
  /** Examples of a target; undefined where it is for everything else. */
  readonly examplesOf: (target: KongTarget) => readonly string[] | undefined
  readonly set: (route: DraftEntry) => void
}

/** What Kong calls the one for everything else. */
const catchAll = /^catch[-_ ]?all$/i
const longestExample = 1000
const usualThreshold = 0.5

/** Undefined where nothing is balanced so, or where nobody would embed; then it is spoken of with the rest. The route of who embeds is made here. */
export function takeSemantic(plugin: KongPlugin, times: KongTimes, names: ModelNames, making: KongMaking): KongSemantic | undefined {
  const algorithm = plugin.get('balancer')?.get('algorithm')
  const embeddings = plugin.get('embeddings')
  if (algorithm?.text() !== 'semantic' || embeddings === undefined) return undefined
  const target = takeTarget((key) => embeddings.get(key), embeddings, times, making)
  leave(embeddings.get('auth'), leftOfAuth)
  leave(embeddings.get('model')?.get('options'), leftOfOptions)
  if (target === undefined || target.model === '*') return undefined
  const name = names.take(target.model, 'embeddings')
  const route = new DraftEntry().set('model', literal(name)).set('upstreams', [routeTarget(target.upstream, target.model, name)])
  if (target.modelFrom !== undefined) route.from(target.modelFrom, 'model')
  if (!making.draft.push('routes', route)) return undefined
  return {
    examplesOf({ description, upstream }) {
      const text = description?.text()?.trim() ?? ''
      if (text === '' || text.length > longestExample || catchAll.test(text)) return undefined
      return [making.texts.words(text, upstream, `${upstream}_example`).text]
    },
    set(entry) {
      const threshold = plugin.get('vectordb')?.get('threshold')
      const least = threshold?.number()
      entry.set(
        'balance',
        'semantic',
        algorithm,
        'examples are better than a description: write some sentences like those each upstream is for',
      )
      entry.set('semantic.embeddings', literal(name))
      if (threshold !== undefined && least !== undefined && least >= 0 && least <= 1)
        entry.set(
          'semantic.threshold',
          least,
          threshold,
          'it is the least cosine of two texts, whatever was measured before: look at where calls go',
        )
      else entry.set('semantic.threshold', usualThreshold)
      entry.set('semantic.fallback', 'weighted')
    },
  }
}
