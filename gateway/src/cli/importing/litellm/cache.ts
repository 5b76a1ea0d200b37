/** `cache` and `cache_params`: answers that are given again, of every model. */
import type { Foreign } from '../gateways/foreign-value.ts'
import { leave } from '../gateways/foreign-value.ts'
import { setCache } from '../gateways/kept-answers.ts'
import type { RoutePart } from '../gateways/route-part.ts'

/** Calls of models, among those that LiteLLM can be told to keep the answers of. */
const ofModels: readonly string[] = ['completion', 'acompletion', 'responses', 'aresponses']
const stores: readonly string[] = ['local', 'redis', 'disk', 's3', 'gcs', 'azure-blob']

/** Undefined when no answer is given again, or none that could be here; which is then spoken of. */
export function cachePart(settings: Foreign | undefined): RoutePart | undefined {
  const [said, params] = [settings?.get('cache'), settings?.get('cache_params')]
  const why = whyNot(said, params)
  if (why !== undefined) {
    for (const from of [said, params]) from?.left(why)
    return undefined
  }
  if (said === undefined) return undefined
  const calls = (params?.get('supported_call_types')?.items() ?? []).filter((call) => ofModels.includes(call.text() ?? ''))
  return (route) => {
    setCache(route, { said: [said, ...calls], ttl: params?.get('ttl') })
    leave(params, leftOfParams)
  }
}

function whyNot(said: Foreign | undefined, params: Foreign | undefined): string | undefined {
  if (said?.flag() !== true) return said === undefined ? 'nothing says that answers are given again' : 'no answers are given again'
  const calls = params?.get('supported_call_types')
  if (calls?.isList === true && !calls.items().some((call) => ofModels.includes(call.text() ?? '')))
    return 'the answers of models are not among those that are given again'
  if (params?.get('mode')?.text() === 'default_off')
    return 'answers are given again where a request asks for it; say `cache: { kind: exact }` on the routes where all may be'
  const type = params?.get('type')?.text() ?? 'local'
  if (type.endsWith('-semantic')) return 'answers are given again to the same request only: say `cache: { kind: exact }` on the routes'
  return stores.includes(type) ? undefined : 'such a cache is not known here: say `cache: { kind: exact }` on the routes'
}

const leftOfParams: Readonly<Record<string, string>> = {
  ttl: 'another setting says how long answers are kept',
  default_in_memory_ttl: 'how long an answer is kept is said by `ttl`',
  default_in_redis_ttl: 'how long an answer is kept is said by `ttl`',
  mode: 'answers are given again unless a client says `cache-control: no-cache`',
  supported_call_types: 'only answers of models are given again',
  namespace: 'answers are told apart by what was asked, and by whom',
}
