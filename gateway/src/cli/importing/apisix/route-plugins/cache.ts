/** `ai-cache`: answers that are given again, also to questions that mean the same. */
import type { ForeignComparing } from '../../gateways/comparing.ts'
import { setCache } from '../../gateways/kept-answers.ts'
import { leave, type Foreign } from '../../gateways/foreign-value.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import { takeEmbeddings } from '../embeddings.ts'
import type { ApisixMaking } from '../instance.ts'
import type { ApisixPlugin } from '../plugins.ts'

const memory = 'answers are kept in the memory of each process'
const kept = 'principals are kept apart unless `cache.scope` says otherwise'
const isAlike = 'the last words of the user are compared, and everything else of a request has to be the same'
const noComparing = 'nothing says which model of embeddings is asked, and where: say `cache: { kind: semantic }` on the routes'

/** What holds there where nothing is said. */
const usual = { ttl: '1h', threshold: 0.95 } as const

export function keepAnswers({ config }: ApisixPlugin, _owner: string, making: ApisixMaking): RoutePart | undefined {
  const key = config.get('cache_key')
  // What was kept apart by them would not be any more.
  if ((key?.get('include_vars')?.items() ?? []).length > 0) {
    config.left('answers are kept apart by variables there, and by principals here: say `cache` by hand where that is enough')
    return undefined
  }
  const layers = config.get('layers')?.items() ?? []
  const semantic = layers.some((layer) => layer.text() === 'semantic') ? comparing(config.get('semantic'), making) : undefined
  if (semantic !== undefined) leave(config.get('semantic'), leftOfComparing)
  const said = layers.filter((layer) => layer.text() === 'exact' || (semantic !== undefined && layer.text() === 'semantic'))
  return (route) => {
    const isFirst = route.value['cache'] === undefined
    const ttl = shorter(config.within('exact', 'ttl'), semantic === undefined ? undefined : config.within('semantic', 'ttl'))
    setCache(route, { said, ttl, size: config.get('max_cache_body_size'), semantic })
    if (isFirst && ttl === undefined) route.set('cache.ttl', usual.ttl)
    const consumer = key?.get('include_consumer')
    if (consumer?.flag() === true) route.set('cache.scope', 'principal', consumer)
  }
}

function comparing(said: Foreign | undefined, making: ApisixMaking): ForeignComparing | undefined {
  const model = takeEmbeddings(said?.get('embedding'), making)
  if (model === undefined) return undefined
  const near = said?.get('similarity_threshold')
  const cosine = near?.number()
  const isOne = cosine !== undefined && cosine >= 0 && cosine <= 1
  return {
    embeddings: model.name,
    from: model.from,
    threshold: isOne ? cosine : usual.threshold,
    near: isOne ? near : undefined,
    wait: model.wait,
  }
}

/** There is one time for both: what is older than either says is asked anew. */
function shorter(exact: Foreign | undefined, semantic: Foreign | undefined): Foreign | undefined {
  if (semantic === undefined) return exact
  // An hour, where nothing is said of the same request.
  return (semantic.number() ?? Infinity) < (exact?.number() ?? 3600) ? semantic : exact
}

const oneTime = 'answers are kept for one length of time, the shorter one'

const leftOfComparing = { ttl: oneTime, vector_search: memory }

const redis = ['host', 'port', 'username', 'password', 'database', 'timeout', 'ssl', 'ssl_verify', 'keepalive_timeout', 'keepalive_pool']

export const leftOfCache: Readonly<Record<string, string>> = {
  ...Object.fromEntries(redis.map((name) => [`redis_${name}`, memory])),
  policy: memory,
  layers: noComparing,
  semantic: isAlike,
  exact: oneTime,
  cache_key: kept,
  cache_headers: 'every answer says `x-turnward-cache`',
  bypass_on: 'a client says `cache-control: no-store`',
  fail_mode: 'what cannot be given again is asked anew',
}
