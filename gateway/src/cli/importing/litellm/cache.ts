/** `cache` and `cache_params`: answers that are given again, of every model. */
import type { Foreign } from '../gateways/foreign-value.ts'
import { leave } from '../gateways/foreign-value.ts'
import { literal } from '../gateways/foreign-text.ts'
import type { ForeignComparing } from '../gateways/comparing.ts'
import { setCache } from '../gateways/kept-answers.ts'
import type { RoutePart } from '../gateways/route-part.ts'

/** Calls of models, among those that LiteLLM can be told to keep the answers of. */
const ofModels: readonly string[] = ['completion', 'acompletion', 'responses', 'aresponses']
const stores: readonly string[] = ['local', 'redis', 'disk', 's3', 'gcs', 'azure-blob']

/** Stores that compare questions: where each has its model of embeddings. */
const comparers: Readonly<Record<string, string>> = {
  'redis-semantic': 'redis_semantic_cache_embedding_model',
  'valkey-semantic': 'valkey_semantic_cache_embedding_model',
  'qdrant-semantic': 'qdrant_semantic_cache_embedding_model',
}
const usualModel = 'text-embedding-ada-002'

/**
 * Undefined when no answer is given again, or none that could be here; which is then spoken of. `isServed`: whether a route has
 * this name.
 */
export function cachePart(settings: Foreign | undefined, isServed: (name: string) => boolean): RoutePart | undefined {
  const [said, params] = [settings?.get('cache'), settings?.get('cache_params')]
  const semantic = params === undefined ? undefined : comparing(params, isServed)
  const why = whyNot(said, params, semantic)
  if (why !== undefined) {
    for (const from of [said, params]) from?.left(why)
    return undefined
  }
  if (said === undefined) return undefined
  const calls = (params?.get('supported_call_types')?.items() ?? []).filter((call) => ofModels.includes(call.text() ?? ''))
  const type = semantic === undefined ? undefined : params?.get('type')
  return (route) => {
    // The model that questions are compared with is asked for vectors, not for answers.
    if (semantic !== undefined && route.value['model'] === semantic.embeddings) return
    setCache(route, { said: [said, ...(type === undefined ? [] : [type]), ...calls], ttl: params?.get('ttl'), semantic })
    leave(params, leftOfParams)
  }
}

function comparing(params: Foreign, isServed: (name: string) => boolean): ForeignComparing | undefined {
  const type = params.get('type')?.text() ?? ''
  if (!Object.hasOwn(comparers, type)) return undefined
  const model = params.get(comparers[type] ?? '')
  const name = model?.text() ?? usualModel
  const near = params.get('similarity_threshold')
  const threshold = near?.number()
  if (threshold === undefined || threshold < 0 || threshold > 1 || !isServed(name)) return undefined
  return { embeddings: literal(name), from: model === undefined ? [] : [model], threshold, near }
}

function whyNot(said: Foreign | undefined, params: Foreign | undefined, semantic: ForeignComparing | undefined): string | undefined {
  if (said?.flag() !== true) return said === undefined ? 'nothing says that answers are given again' : 'no answers are given again'
  const calls = params?.get('supported_call_types')
  if (calls?.isList === true && !calls.items().some((call) => ofModels.includes(call.text() ?? '')))
    return 'the answers of models are not among those that are given again'
  if (params?.get('mode')?.text() === 'default_off')
    return 'answers are given again where a request asks for it; say `cache: { kind: exact }` on the routes where all may be'
  const type = params?.get('type')?.text() ?? 'local'
  if (Object.hasOwn(comparers, type)) return semantic === undefined ? noComparing : undefined
  return stores.includes(type) ? undefined : 'such a cache is not known here: say `cache: { kind: exact }` on the routes'
}

const noComparing =
  'questions are compared by a model of embeddings that is in `model_list`, and a similarity from 0 to 1: say `cache: { kind: semantic }` on the routes'
const memory = 'vectors are kept in the memory of each process'

const leftOfParams: Readonly<Record<string, string>> = {
  ttl: 'another setting says how long answers are kept',
  default_in_memory_ttl: 'how long an answer is kept is said by `ttl`',
  default_in_redis_ttl: 'how long an answer is kept is said by `ttl`',
  mode: 'answers are given again unless a client says `cache-control: no-cache`',
  supported_call_types: 'only answers of models are given again',
  namespace: 'answers are told apart by what was asked, and by whom',
  ...Object.fromEntries(
    ['api_base', 'api_key', 'collection_name', 'quantization_config', 'semantic_cache_vector_size', 'host_type'].map((name) => [
      `qdrant_${name}`,
      memory,
    ]),
  ),
  redis_semantic_cache_index_name: memory,
}
