/** `balancer.algorithm: semantic` of `ai-proxy-multi`: its instances have examples, as our upstreams do. */
import type { Foreign } from '../gateways/foreign-value.ts'
import { exampleOf, type ForeignSemantic } from '../gateways/semantic-balance.ts'
import { takeProxyEmbeddings } from './embeddings.ts'
import type { ApisixInstance, ApisixMaking } from './instance.ts'

/** Undefined where nothing is balanced so, or where nobody would embed; then it is spoken of with the rest. */
export function takeSemantic(config: Foreign, making: ApisixMaking): ForeignSemantic | undefined {
  const algorithm = config.within('balancer', 'algorithm')
  if (algorithm?.text() !== 'semantic') return undefined
  const model = takeProxyEmbeddings(config.get('embeddings'), making)
  if (model === undefined) return undefined
  const near = config.within('balancer', 'threshold')
  const cosine = near?.number()
  // Theirs may be below 0, which all there is lies above.
  const isSaid = cosine !== undefined && cosine >= -1 && cosine <= 1
  return {
    algorithm,
    why: 'where the one that is chosen fails, the next one is asked',
    comparing: {
      embeddings: model.name,
      from: model.from,
      threshold: isSaid ? Math.max(0, cosine) : 0,
      near: isSaid ? near : undefined,
      wait: model.wait,
    },
    fallback: 'ordered',
  }
}

/** Examples of an instance; undefined where it has none. */
export function examplesOf({ examples, upstream }: ApisixInstance, { texts }: ApisixMaking): readonly string[] | undefined {
  const taken = (examples?.items() ?? []).flatMap((item) => exampleOf(item, upstream, texts) ?? [])
  return taken.length === 0 ? undefined : taken
}
