/** `ai-semantic-cache`: answers that are given again, also to questions that mean the same. */
import type { ForeignComparing } from '../../gateways/comparing.ts'
import { setCache } from '../../gateways/kept-answers.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import { similarityOf } from '../../gateways/similarity.ts'
import { takeEmbeddings } from '../embeddings.ts'
import type { KongPlugin } from '../plugins.ts'
import type { KongMaking } from '../target.ts'
import { ofRequests } from './left-of-requests.ts'

const noComparing =
  'questions are compared by a model of embeddings and a distance from 0 to 1, and one of them is missing: say `cache: { kind: semantic }` on the routes'

export function keepAnswers(plugin: KongPlugin, _owner: string, making: KongMaking): RoutePart | undefined {
  const { get, whole } = plugin
  const exact = get('exact_caching')
  const semantic = comparing(plugin, making)
  if (semantic === undefined && exact?.flag() !== true) {
    whole.left(noComparing)
    return undefined
  }
  const said = [whole.get('name'), exact?.flag() === true ? exact : undefined].filter((from) => from !== undefined)
  return (route) => setCache(route, { said, ttl: get('cache_ttl'), semantic })
}

/** Undefined when questions are not compared here. A distance in space is no cosine. */
function comparing({ get }: KongPlugin, making: KongMaking): ForeignComparing | undefined {
  const database = get('vectordb')
  const [near, metric] = [database?.get('threshold'), database?.get('distance_metric')]
  const threshold = similarityOf(near, metric)
  const model = threshold === undefined ? undefined : takeEmbeddings(get('embeddings'), making)
  const embeddings = model === undefined ? undefined : making.embeddings.take(model.upstream, model.model)
  if (threshold === undefined || model === undefined || embeddings === undefined) return undefined
  return { embeddings, from: [model.from], threshold, near }
}

const isAlike = 'everything but the last words of the user has to be the same'

export const leftOfSemanticCache: Readonly<Record<string, string>> = {
  ...ofRequests,
  cache_control: 'what a client says in `cache-control` always holds',
  exact_caching: 'the same request is found first',
  embeddings: noComparing,
  ignore_assistant_prompts: isAlike,
  ignore_system_prompts: isAlike,
  ignore_tool_prompts: isAlike,
  message_countback: isAlike,
  stop_on_failure: 'where a question cannot be compared, its upstream is asked',
  vectordb: 'answers are kept in the memory of each process',
}
