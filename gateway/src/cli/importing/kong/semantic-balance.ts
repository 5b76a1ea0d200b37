/** `balancer.algorithm: semantic` of `ai-proxy-advanced`: a description of each target is what ours is compared with as an example. */
import { exampleOf, type ForeignSemantic } from '../gateways/semantic-balance.ts'
import { similarityOf } from '../gateways/similarity.ts'
import { takeEmbeddings } from './embeddings.ts'
import type { KongPlugin } from './plugins.ts'
import type { KongMaking, KongTarget } from './target.ts'

/** What Kong calls the one for everything else. */
const catchAll = /^catch[-_ ]?all$/i
const usualThreshold = 0.5

/** Undefined where nothing is balanced so, or where nobody would embed; then it is spoken of with the rest. */
export function takeSemantic(plugin: KongPlugin, making: KongMaking): ForeignSemantic | undefined {
  const algorithm = plugin.get('balancer')?.get('algorithm')
  if (algorithm?.text() !== 'semantic') return undefined
  const model = takeEmbeddings(plugin.get('embeddings'), making)
  const embeddings = model === undefined ? undefined : making.embeddings.take(model.upstream, model.model)
  if (model === undefined || embeddings === undefined) return undefined
  const [near, metric] = [plugin.get('vectordb')?.get('threshold'), plugin.get('vectordb')?.get('distance_metric')]
  const threshold = similarityOf(near, metric)
  return {
    algorithm,
    why: 'a description is one example: write some sentences like those each upstream is for',
    comparing: { embeddings, from: [model.from], threshold: threshold ?? usualThreshold, near: threshold === undefined ? undefined : near },
    fallback: 'weighted',
  }
}

/** Examples of a target; undefined where it is for everything else. */
export function examplesOf({ description, upstream }: KongTarget, { texts }: KongMaking): readonly string[] | undefined {
  const example = catchAll.test(description?.text()?.trim() ?? '') ? undefined : exampleOf(description, upstream, texts)
  return example === undefined ? undefined : [example]
}
