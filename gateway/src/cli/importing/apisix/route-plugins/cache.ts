/** `ai-cache`: answers that are given again. */
import { setCache } from '../../gateways/kept-answers.ts'
import type { RoutePart } from '../../gateways/route-part.ts'
import type { ApisixPlugin } from '../plugins.ts'

const memory = 'answers are kept in the memory of each process'
const kept = 'principals are kept apart unless `cache.scope` says otherwise'

export function keepAnswers({ config }: ApisixPlugin): RoutePart | undefined {
  const key = config.get('cache_key')
  // What was kept apart by them would not be any more.
  if ((key?.get('include_vars')?.items() ?? []).length > 0) {
    config.left('answers are kept apart by variables there, and by principals here: say `cache` by hand where that is enough')
    return undefined
  }
  const exact =
    config
      .get('layers')
      ?.items()
      .filter((layer) => layer.text() === 'exact') ?? []
  return (route) => {
    setCache(route, { said: exact, ttl: config.within('exact', 'ttl'), size: config.get('max_cache_body_size') })
    const consumer = key?.get('include_consumer')
    if (consumer?.flag() === true) route.set('cache.scope', 'principal', consumer)
  }
}

const redis = ['host', 'port', 'username', 'password', 'database', 'timeout', 'ssl', 'ssl_verify', 'keepalive_timeout', 'keepalive_pool']

export const leftOfCache: Readonly<Record<string, string>> = {
  ...Object.fromEntries(redis.map((name) => [`redis_${name}`, memory])),
  policy: memory,
  layers: 'answers are given again to the same request only',
  semantic: 'answers are given again to the same request only',
  cache_key: kept,
  cache_headers: 'every answer says `x-turnward-cache`',
  bypass_on: 'a client says `cache-control: no-store`',
  fail_mode: 'what cannot be given again is asked anew',
}
