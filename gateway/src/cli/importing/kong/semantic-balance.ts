/** `balancer.algorithm: semantic` of `ai-proxy-advanced`: a description of each target is what ours is compared with as an example. */
import type { DraftEntry } from '../gateways/draft-entry.ts'
import { similarityOf } from '../gateways/similarity.ts'
import { takeEmbeddings } from './embeddings.ts'
import type { KongPlugin } from './plugins.ts'
import type { KongMaking, KongTarget } from './target.ts'

export interface KongSemantic {
  /** Examples of a target; undefined where it is for everything else. */
  readonly examplesOf: (target: KongTarget) => readonly string[] | undefined
  readonly set: (route: DraftEntry) => void
}

/** What Kong calls the one for everything else. */
const catchAll = /^catch[-_ ]?all$/i
const longestExample = 1000
const usualThreshold = 0.5
const isOne = 'a description is one example: write some sentences like those each upstream is for'
const isCosine = 'it is the cosine from which on an upstream is near enough; try it anew with yours'

/** Undefined where nothing is balanced so, or where nobody would embed; then it is spoken of with the rest. */
export function takeSemantic(plugin: KongPlugin, making: KongMaking): KongSemantic | undefined {
  const algorithm = plugin.get('balancer')?.get('algorithm')
  if (algorithm?.text() !== 'semantic') return undefined
  const model = takeEmbeddings(plugin.get('embeddings'), making)
  const embeddings = model === undefined ? undefined : making.embeddings.take(model.upstream, model.model)
  if (model === undefined || embeddings === undefined) return undefined
  const [near, metric] = [plugin.get('vectordb')?.get('threshold'), plugin.get('vectordb')?.get('distance_metric')]
  const threshold = similarityOf(near, metric)
  return {
    examplesOf({ description, upstream }) {
      const text = description?.text()?.trim() ?? ''
      if (text === '' || text.length > longestExample || catchAll.test(text)) return undefined
      return [making.texts.words(text, upstream, `${upstream}_example`).text]
    },
    set(route) {
      route.set('balance', 'semantic', algorithm, isOne).set('semantic.embeddings', embeddings).from(model.from, 'semantic.embeddings')
      if (threshold === undefined) route.set('semantic.threshold', usualThreshold)
      else route.set('semantic.threshold', threshold, near, isCosine)
      route.set('semantic.fallback', 'weighted')
    },
  }
}
