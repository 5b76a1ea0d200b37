/** `ai-rate-limiting-advanced` and `rate-limiting`: limits on what was taken over of the routes they are for. */
import type { Draft } from '../gateways/draft.ts'
import type { Foreign } from '../gateways/foreign-value.ts'
import { limitEntry, type ForeignLimit } from '../gateways/limit-entry.ts'
import { matchOf } from '../gateways/taken-route.ts'
import { windowOf } from '../gateways/windows.ts'
import type { TakenConsumers } from './consumers.ts'
import type { KongPlugin } from './plugins.ts'
import type { TakenProxy } from './proxies.ts'

const counts: Readonly<Record<string, ForeignLimit['count']>> = {
  total_tokens: 'tokens',
  prompt_tokens: 'input_tokens',
  completion_tokens: 'output_tokens',
  cost: 'cost',
}

/** Who has a limit for himself: by `identifier` or `limit_by`. */
const holders: Readonly<Record<string, { readonly per: string; readonly why?: string }>> = {
  consumer: { per: 'consumer' },
  credential: { per: 'key' },
  'consumer-group': { per: 'group' },
  service: { per: 'none' },
  ip: { per: 'key', why: 'callers are told apart by their keys here, not by their addresses' },
}

function holderOf(said: Foreign | undefined): (typeof holders)[string] | undefined {
  const name = said?.text() ?? 'consumer'
  return Object.hasOwn(holders, name) ? holders[name] : undefined
}

const ofModels = 'it is for what was not taken over'
const notCounted = 'what it counts is not counted here'
const noHolder = 'callers cannot be told apart by this here'

/** Who a plugin is for, as a match has it; undefined when they were not taken over. */
function whoOf({ consumer, group }: KongPlugin, { consumers, groups }: TakenConsumers): object | undefined {
  const named = {
    ...(consumer !== undefined && { consumers: [consumers.get(consumer)] }),
    ...(group !== undefined && { groups: [groups.get(group)] }),
  }
  return Object.values(named).some(([name]) => name === undefined) ? undefined : named
}

export function takeAiLimits(plugin: KongPlugin, proxies: readonly TakenProxy[], callers: TakenConsumers, draft: Draft): void {
  const identifier = plugin.get('identifier')
  const holder = holderOf(identifier)
  const strategy = plugin.get('tokens_count_strategy')
  const providers = plugin.get('llm_providers')?.items() ?? []
  if (holder === undefined) for (const from of [identifier, plugin.get('llm_providers')]) from?.left(noHolder)
  for (const item of providers) {
    if (holder === undefined) break
    const name = item.get('name')
    const match = matchOf(proxies, name?.text() ?? '')
    const who = whoOf(plugin, callers)
    const count = countOf(strategy)
    if (name === undefined || match === undefined || who === undefined || count === undefined) {
      item.left(count === undefined ? notCounted : ofModels)
      continue
    }
    takeWindows(item, plugin, draft, `${name.text() ?? ''}`, {
      count,
      per: holder.per,
      why: holder.why,
      match: { ...match, ...who },
      also: [name, ...[identifier, strategy, ...plugin.said].filter((from) => from !== undefined)],
    })
  }
  for (const policy of plugin.get('policies')?.items() ?? []) takePolicy(policy, plugin, proxies, callers, draft)
}

interface Shape {
  readonly count: ForeignLimit['count']
  readonly per: string
  readonly why?: string | undefined
  readonly match: object
  /** What says the rest of it. */
  readonly also: readonly Foreign[]
}

function countOf(strategy: Foreign | undefined): ForeignLimit['count'] | undefined {
  const name = strategy?.text() ?? 'total_tokens'
  return Object.hasOwn(counts, name) ? counts[name] : undefined
}

/** `limit` and `window_size` are numbers, or lists of them that belong together. */
function takeWindows(item: Foreign, plugin: KongPlugin, draft: Draft, name: string, { also, why, ...shape }: Shape): void {
  const many = (value: Foreign | undefined): readonly Foreign[] => (value === undefined ? [] : value.isList ? value.items() : [value])
  const [limits, windows] = [many(item.get('limit')), many(item.get('window_size'))]
  const type = plugin.get('window_type')
  for (const [at, limit] of limits.entries()) {
    const windowFrom = windows[at]
    const window = windowOf(windowFrom?.number() ?? 0)
    if (window === undefined) {
      limit.left('there is no window for it')
      continue
    }
    const fixed = type?.text() === 'fixed' ? 'the window slides here' : undefined
    const told = [why, fixed].filter((text) => text !== undefined).join('; ')
    const entry = limitEntry({ ...shape, limit, window, windowFrom, why: told === '' ? undefined : told })
    if (entry === undefined) continue
    for (const from of also) entry.from(from, '')
    if (type !== undefined) entry.from(type, 'window', fixed)
    draft.limit(`kong-${name}-${shape.count}-${window.window}`, entry)
  }
}

/** What a policy of theirs may be about, as part of a match of ours; and how each of them has it for itself. */
const dimensions: Readonly<Record<string, { readonly match: 'consumers' | 'groups' | 'models' | 'provider'; readonly per: string }>> = {
  consumer: { match: 'consumers', per: 'consumer' },
  consumer_group: { match: 'groups', per: 'group' },
  model: { match: 'models', per: 'model' },
  provider: { match: 'provider', per: 'upstream' },
}

function dimensionOf(type: Foreign | undefined): (typeof dimensions)[string] | undefined {
  const name = type?.text() ?? ''
  return Object.hasOwn(dimensions, name) ? dimensions[name] : undefined
}

function takePolicy(policy: Foreign, plugin: KongPlugin, proxies: readonly TakenProxy[], callers: TakenConsumers, draft: Draft): void {
  const matches = policy.get('match')?.items() ?? []
  const who = whoOf(plugin, callers)
  let match: { models?: readonly string[]; upstreams?: readonly string[] } | undefined =
    who === undefined ? undefined : { ...matchOf(proxies), ...who }
  const also: Foreign[] = []
  const partitions: string[] = []
  for (const item of matches) {
    const type = item.get('type')
    const dimension = dimensionOf(type)
    const values = item.get('values')?.items() ?? []
    const known = dimension?.match === 'consumers' ? callers.consumers : dimension?.match === 'groups' ? callers.groups : undefined
    const texts = values.flatMap((value) => (known === undefined ? value.text() : known.get(value.text() ?? '')) ?? [])
    const isById =
      (dimension?.match === 'consumers' || dimension?.match === 'groups') &&
      !['username', 'name', undefined].includes(item.get('key')?.text())
    if (type === undefined || dimension === undefined || isById) {
      policy.left(isById ? 'it names what it is for by an id' : noHolder)
      return
    }
    // One vendor has the limit as a whole, whatever its upstreams.
    const isOne = dimension.match === 'provider' && values.length === 1
    if (item.get('partition_by')?.flag() === true && !isOne) partitions.push(dimension.per)
    also.push(...['type', 'key', 'partition_by'].flatMap((key) => item.get(key) ?? []), ...values)
    if (values.length === 0) continue
    if (texts.length < values.length) match = undefined
    const found = dimension.match === 'provider' ? texts.map((text) => matchOf(proxies, text)) : undefined
    const upstreams = found?.flatMap((one) => one?.upstreams ?? [])
    if (upstreams !== undefined) match = upstreams.length === 0 ? undefined : { ...match, upstreams }
    else match = { ...match, [dimension.match]: texts }
    if (match === undefined) break
  }
  if (match?.models === undefined || partitions.length > 1) {
    policy.left(partitions.length > 1 ? 'each pair of two things cannot have a limit for itself here' : ofModels)
    return
  }
  for (const item of policy.get('limits')?.items() ?? []) {
    const strategy = item.get('tokens_count_strategy') ?? policy.get('tokens_count_strategy') ?? plugin.get('tokens_count_strategy')
    const count = countOf(strategy)
    if (count === undefined) {
      item.left(notCounted)
      continue
    }
    takeWindows(item, plugin, draft, 'policy', {
      count,
      per: partitions[0] ?? 'none',
      why: partitions[0] === 'upstream' ? 'each upstream has it for itself, also several of one vendor' : undefined,
      match,
      also: [...also, ...plugin.said, ...(strategy === undefined ? [] : [strategy])],
    })
  }
}

const lengths = { second: 1, minute: 60, hour: 3600, day: 86_400, month: 30 * 86_400 } as const

/** `rate-limiting`: requests. */
export function takeRequestLimits(plugin: KongPlugin, proxies: readonly TakenProxy[], callers: TakenConsumers, draft: Draft): void {
  const [models, who] = [matchOf(proxies), whoOf(plugin, callers)]
  const match = models === undefined || who === undefined ? undefined : { ...models, ...who }
  const by = plugin.get('limit_by')
  const holder = holderOf(by)
  if (match === undefined || holder === undefined) {
    plugin.whole.left(match === undefined ? ofModels : noHolder)
    return
  }
  for (const [key, seconds] of Object.entries(lengths)) {
    const limit = plugin.get(key)
    const window = windowOf(seconds)
    if (limit === undefined || window === undefined) continue
    const entry = limitEntry({ count: 'requests', limit, window, per: holder.per, match, why: holder.why })
    if (entry === undefined) continue
    if (by !== undefined) entry.from(by, 'per')
    for (const from of plugin.said) entry.from(from, '')
    draft.limit(`kong-requests-${window.window}`, entry)
  }
}
