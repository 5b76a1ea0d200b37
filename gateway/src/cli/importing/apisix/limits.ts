/** `ai-rate-limiting` and `limit-count`: limits on what was taken over of the routes they are for. */
import type { Draft } from '../gateways/draft.ts'
import type { Foreign } from '../gateways/foreign-value.ts'
import { limitEntry, type ForeignLimit } from '../gateways/limit-entry.ts'
import { matchOf } from '../gateways/taken-route.ts'
import { windowOf } from '../gateways/windows.ts'
import type { TakenConsumers } from './consumers.ts'
import type { ApisixPlugin } from './plugins.ts'
import type { TakenProxy } from './proxies.ts'

const counts: Readonly<Record<string, ForeignLimit['count']>> = {
  total_tokens: 'tokens',
  prompt_tokens: 'input_tokens',
  completion_tokens: 'output_tokens',
}

const ofModels = 'it is for what was not taken over'
const slides = 'the window slides here'

interface Limit {
  readonly count: ForeignLimit['count']
  readonly limit: Foreign | undefined
  readonly window: Foreign | undefined
  readonly match: object
  readonly per?: string
  readonly why?: string | undefined
  /** What says the rest of it. */
  readonly also: readonly (Foreign | undefined)[]
}

function take(name: string, { count, limit, window: windowFrom, match, per, why, also }: Limit, draft: Draft): void {
  const window = windowOf(windowFrom?.number() ?? 0)
  if (limit === undefined || window === undefined) {
    for (const from of [limit, windowFrom]) from?.left('its length of time is no number that stands in the file: add a limit by hand')
    return
  }
  const told = [why, slides].filter((text) => text !== undefined).join('; ')
  const entry = limitEntry({ count, limit, window, windowFrom, match, ...(per !== undefined && { per }), why: told })
  if (entry === undefined) return
  for (const from of also) if (from !== undefined) entry.from(from, '')
  draft.limit(`apisix-${name}-${window.window}`, entry)
}

/** Whom a plugin is for, as a match has it; undefined when they were not taken over. */
function whoOf({ consumer, group }: ApisixPlugin, { consumers, groups }: TakenConsumers): object | undefined {
  const named = {
    ...(consumer !== undefined && { consumers: [consumers.get(consumer)] }),
    ...(group !== undefined && { groups: [groups.get(group)] }),
  }
  return Object.values(named).some(([name]) => name === undefined) ? undefined : named
}

export function takeTokenLimits(plugin: ApisixPlugin, proxies: readonly TakenProxy[], callers: TakenConsumers, draft: Draft): void {
  const { config } = plugin
  const strategy = config.get('limit_strategy')
  const name = strategy?.text() ?? 'total_tokens'
  const count = Object.hasOwn(counts, name) ? counts[name] : undefined
  const who = whoOf(plugin, callers)
  if (count === undefined || who === undefined) return config.left(count === undefined ? 'what it counts is not counted here' : ofModels)
  const instances = config.get('instances')?.items() ?? []
  for (const item of instances) {
    const label = item.get('name')
    const match = matchOf(proxies, label?.text() ?? '')
    if (match === undefined) item.left(ofModels)
    else
      take(
        `${label?.text() ?? ''}-${count}`,
        { count, limit: item.get('limit'), window: item.get('time_window'), match: { ...match, ...who }, also: [label, strategy] },
        draft,
      )
  }
  const named = new Set(instances.map((item) => item.get('name')?.text()))
  // What has a limit of its own is not counted here.
  const others = proxies
    .map((proxy) => ({ ...proxy, upstreams: proxy.upstreams.filter(({ label }) => !named.has(label)) }))
    .filter(({ upstreams }) => upstreams.length > 0)
  const match = matchOf(others)
  const rest =
    named.size === 0 || match === undefined
      ? match
      : { ...match, upstreams: [...new Set(others.flatMap(({ upstreams }) => upstreams.map((upstream) => upstream.name)))] }
  if (config.get('limit') !== undefined) {
    if (rest === undefined) for (const key of ['limit', 'time_window']) config.get(key)?.left(ofModels)
    else
      take(
        count,
        { count, limit: config.get('limit'), window: config.get('time_window'), match: { ...rest, ...who }, also: [strategy] },
        draft,
      )
  }
  for (const rule of config.get('rules')?.items() ?? []) {
    const key = rule.get('key')
    const holder = holderOf(key)
    const all = matchOf(proxies)
    if (holder === undefined || all === undefined) rule.left(all === undefined ? ofModels : 'callers cannot be told apart by this here')
    else
      take(
        `rule-${count}`,
        { count, limit: rule.get('count'), window: rule.get('time_window'), match: { ...all, ...who }, ...holder, also: [key, strategy] },
        draft,
      )
  }
}

/** Who has a limit for himself, by the variable of APISIX that says it. */
const holders: Readonly<Record<string, { readonly per: string; readonly why?: string }>> = {
  consumer_name: { per: 'consumer' },
  consumer_group_id: { per: 'group' },
  remote_addr: { per: 'key', why: 'callers are told apart by their keys here, not by their addresses' },
}

function holderOf(key: Foreign | undefined): (typeof holders)[string] | undefined {
  const [, name = ''] = /^(?:\$\{?)?([a-z_]{1,40})\}?$/.exec(key?.text() ?? 'remote_addr') ?? []
  return Object.hasOwn(holders, name) ? holders[name] : undefined
}

/** `limit-count`: requests. */
export function takeRequestLimit(plugin: ApisixPlugin, proxies: readonly TakenProxy[], callers: TakenConsumers, draft: Draft): void {
  const { config } = plugin
  const [match, who] = [matchOf(proxies), whoOf(plugin, callers)]
  const [type, key] = [config.get('key_type'), config.get('key')]
  const kind = type?.text() ?? 'var'
  const holder = kind === 'constant' ? { per: 'none' } : kind === 'var' ? holderOf(key) : undefined
  if (match === undefined || who === undefined || holder === undefined)
    return config.left(holder === undefined ? 'callers cannot be told apart by this here' : ofModels)
  if (kind === 'constant') key?.left('all are counted together')
  take(
    'requests',
    {
      count: 'requests',
      limit: config.get('count'),
      window: config.get('time_window'),
      match: { ...match, ...who },
      ...holder,
      also: [type, kind === 'constant' ? undefined : key],
    },
    draft,
  )
}
