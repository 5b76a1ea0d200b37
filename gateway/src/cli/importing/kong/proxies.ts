/**
 * `ai-proxy` and `ai-proxy-advanced`: what Kong finds by a path is a route here that is found by the name of a model. One
 * plugin is one route, or one for each alias; what serves several paths there is one thing.
 */
import { askedTheSame, leaveOptions, settledOptions } from '../gateways/changed-settings.ts'
import { DraftEntry } from '../gateways/draft-entry.ts'
import { literal } from '../gateways/foreign-text.ts'
import { leave, type Foreign } from '../gateways/foreign-value.ts'
import type { ModelNames } from '../gateways/model-names.ts'
import { plainName } from '../gateways/naming.ts'
import type { RoutePart } from '../gateways/route-part.ts'
import { routeTarget } from '../gateways/route-target.ts'
import { type ForeignSemantic, setSemantic } from '../gateways/semantic-balance.ts'
import { sharesOf } from '../gateways/shares.ts'
import type { TakenRoute } from '../gateways/taken-route.ts'
import { leftOfAuth, leftOfBalancer, leftOfOptions, leftOfProxy } from './left-out.ts'
import type { KongPlugin, KongRoute } from './plugins.ts'
import { routePartsOf } from './route-plugins.ts'
import { examplesOf, takeSemantic } from './semantic-balance.ts'
import { takeTarget, type KongMaking, type KongTarget } from './target.ts'

/** The routes of Kong that one proxy serves alike, and the plugins that speak there. */
export interface ProxyScope {
  readonly paths: readonly KongRoute[]
  readonly plugins: readonly KongPlugin[]
}

export interface TakenProxy extends TakenRoute, ProxyScope {
  readonly plugin: KongPlugin
}

/** Completions would be refused where a route has a transform. */
const isConversation = (get: (key: string) => Foreign | undefined): boolean => (get('route_type')?.text() ?? chat) === chat
const chat = 'llm/v1/chat'

/** Options that stand over what a request says. Where one is a part of the request, clients say it. */
const isSampling = (key: string, from: Foreign): boolean =>
  ['max_tokens', 'temperature', 'top_p', 'top_k'].includes(key) && from.number() !== undefined

/** How targets are chosen among: ours, and what is different. */
const algorithms: Readonly<Record<string, readonly [balance: string, why?: string]>> = {
  'round-robin': ['weighted'],
  'consistent-hashing': ['sticky', 'one upstream has the whole of a conversation, whatever one was chosen by'],
  'lowest-latency': ['lowest_latency'],
  'lowest-usage': ['least_busy', 'it is the one with the fewest calls under way, not the one with the fewest tokens'],
  'least-connections': ['least_busy'],
  priority: ['weighted'],
}

/** One for each scope; none when nothing of it could be taken over, which is then spoken of. */
export function takeProxy(plugin: KongPlugin, scopes: readonly ProxyScope[], names: ModelNames, making: KongMaking): readonly TakenProxy[] {
  const isAdvanced = plugin.name === 'ai-proxy-advanced'
  const balancer = plugin.get('balancer')
  const times = {
    connect: balancer?.get('connect_timeout'),
    read: balancer?.get('read_timeout'),
    failures: balancer?.get('max_fails'),
    cooldown: balancer?.get('fail_timeout'),
  }
  const items: readonly (readonly [(key: string) => Foreign | undefined, Foreign])[] = isAdvanced
    ? (plugin.get('targets')?.items() ?? []).map((item) => [(key) => item.get(key), item] as const)
    : [[plugin.get, plugin.whole]]
  const targets = items.flatMap(([get, whole]) => takeTarget(get, whole, times, making) ?? [])
  const [[getOnly] = []] = items.length === 1 && targets.length === 1 ? items.filter(([get]) => isConversation(get)) : []
  const owner = plainName(plugin.route ?? plugin.service ?? plugin.name)
  const settled = settledOptions(getOnly?.('model')?.get('options'), owner, isSampling, making)
  const semantic = targets.length < 2 ? undefined : takeSemantic(plugin, making)
  const taken =
    targets.length === 0
      ? []
      : scopes.flatMap((scope) => {
          // Where routes differ in more than their paths, each is called after itself.
          const [path] = scope.paths
          const unit = plugin.route ?? (scopes.length > 1 ? path?.name : undefined) ?? plugin.service ?? plugin.name
          return takeRoutes({ targets, semantic }, plugin, { ...scope, settled }, plainName(unit), names, making) ?? []
        })
  for (const [get] of items) {
    leave(get('auth'), leftOfAuth)
    if (items.length > 1) leaveOptions(get('model')?.get('options'), isSampling, askedTheSame)
    else if (!isConversation(get)) leaveOptions(get('model')?.get('options'), isSampling, 'only conversations are changed')
    leave(get('model')?.get('options'), leftOfOptions)
  }
  leave(balancer, leftOfBalancer)
  for (const [key, why] of Object.entries(leftOfProxy)) {
    plugin.get(key)?.left(why)
    for (const [get] of items) get(key)?.left(why)
  }
  plugin.whole.get('name')?.left('none of its models could be taken over')
  return taken
}

function takeRoutes(
  { targets, semantic }: { readonly targets: readonly KongTarget[]; readonly semantic: ForeignSemantic | undefined },
  plugin: KongPlugin,
  { settled, ...scope }: ProxyScope & { readonly settled: RoutePart | undefined },
  unit: string,
  names: ModelNames,
  making: KongMaking,
): TakenProxy | undefined {
  // Kong runs the plugin that asks a model last.
  const parts = [...routePartsOf(scope.plugins, making), ...(settled === undefined ? [] : [settled])]
  const taken: string[] = []
  for (const [wanted, group] of Map.groupBy(targets, (target) => target.alias?.text() ?? commonName(targets, unit))) {
    const name = names.take(wanted, unit)
    const entry = new DraftEntry().set('model', literal(name)).from(plugin.whole.get('name') ?? plugin.whole, 'model')
    for (const { alias } of group) if (alias !== undefined) entry.from(alias, 'model')
    const algorithm = plugin.get('balancer')?.get('algorithm')
    const examples = group.map((target) => (group.length > 1 && semantic !== undefined ? examplesOf(target, making) : undefined))
    const isCompared = examples.some((some) => some !== undefined)
    if (isCompared && semantic !== undefined) setSemantic(entry, semantic)
    const isBalanced =
      isCompared || (group.length > 1 && setBalance(entry, algorithm, plugin.get('balancer')?.get('tokens_count_strategy')))
    const isByPriority = algorithm?.text() === 'priority'
    // There the heavier ones come first, and those of one weight are one group.
    const shares = sharesOf(group.map(({ weight }) => (isByPriority ? { rank: -(weight?.number() ?? 100) } : { weight })))
    const upstreams = group.map(({ upstream, model, modelFrom, weight, description }, at) => {
      if (modelFrom !== undefined) entry.from(modelFrom, `upstreams[${at}]`, model === '*' ? 'clients say which model it is' : undefined)
      if (weight !== undefined && isBalanced) entry.from(weight, `upstreams[${at}]`)
      const own = isCompared ? examples[at] : undefined
      if (description !== undefined && isCompared && description.text() !== undefined)
        entry.from(description, `upstreams[${at}]`, own === undefined ? 'without examples it is for everything else' : undefined)
      return routeTarget(upstream, model, name, { ...(isBalanced && shares[at]), ...(own !== undefined && { examples: own }) })
    })
    entry.set('upstreams', upstreams)
    setRetries(entry, plugin.get('balancer')?.get('retries'), upstreams.length)
    for (const part of parts) part(entry)
    if (making.draft.push('routes', entry)) taken.push(literal(name))
  }
  if (taken.length === 0) return undefined
  return { ...scope, plugin, names: taken, upstreams: targets.map(({ upstream, provider }) => ({ name: upstream, label: provider })) }
}

/** False when targets are not chosen among like this here: they are asked in their order then. */
function setBalance(entry: DraftEntry, algorithm: Foreign | undefined, counted: Foreign | undefined): boolean {
  const name = algorithm?.text() ?? 'round-robin'
  if (name === 'lowest-usage' && counted?.text() === 'cost') {
    entry
      .set('balance', 'lowest_cost', algorithm, 'it is the one that is expected to cost least, not the one that has cost least')
      .from(counted, 'balance')
    return true
  }
  const [balance, why] = (Object.hasOwn(algorithms, name) ? algorithms[name] : undefined) ?? []
  if (balance !== undefined) entry.set('balance', balance, algorithm, why)
  return balance !== undefined
}

const mostAttempts = 10

/** There it is said how often one target after the other is tried; here all of them are, once and as often again. */
function setRetries(entry: DraftEntry, from: Foreign | undefined, targets: number): void {
  const said = from?.number()
  const attempts = said === undefined ? 0 : Math.min(mostAttempts, Math.round((said + 1) / targets) - 1)
  if (attempts >= 1) entry.set('retries', { attempts }, from, 'a call is asked again when every upstream of its route has failed')
}

/** The model they all ask, or the name of the route where they ask several. */
function commonName(targets: readonly KongTarget[], unit: string): string {
  const models = new Set(targets.filter(({ alias }) => alias === undefined).map(({ model }) => model))
  const [only] = models
  return models.size === 1 && only !== undefined ? only : unit
}
