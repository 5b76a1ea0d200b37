/** `ai-proxy` and `ai-proxy-multi`: what APISIX finds by a path is a route here that is found by the name of a model. */
import { askedTheSame, leaveOptions, settledOptions } from '../gateways/changed-settings.ts'
import { DraftEntry } from '../gateways/draft-entry.ts'
import { literal } from '../gateways/foreign-text.ts'
import type { Foreign } from '../gateways/foreign-value.ts'
import type { ModelNames } from '../gateways/model-names.ts'
import { plainName } from '../gateways/naming.ts'
import type { RoutePart } from '../gateways/route-part.ts'
import { routeTarget } from '../gateways/route-target.ts'
import { type ForeignSemantic, setSemantic } from '../gateways/semantic-balance.ts'
import { sharesOf } from '../gateways/shares.ts'
import type { TakenRoute } from '../gateways/taken-route.ts'
import { takeInstance, type ApisixInstance, type ApisixMaking } from './instance.ts'
import { leftOfProxy } from './left-out.ts'
import type { ApisixPlugin, ApisixRoute } from './plugins.ts'
import { routePartsOf } from './route-plugins.ts'
import { examplesOf, takeSemantic } from './semantic-balance.ts'

/** The routes of APISIX that one proxy serves alike, and the plugins that speak there. */
export interface ProxyScope {
  readonly routes: readonly ApisixRoute[]
  readonly plugins: readonly ApisixPlugin[]
}

export interface TakenProxy extends TakenRoute, ProxyScope {}

/** What stands in `options` is written into each request. */
const isSetting = (key: string): boolean => key !== 'model'

/** One for each scope; none when nothing of it could be taken over, which is then spoken of. */
export function takeProxy(
  { name, config }: ApisixPlugin,
  scopes: readonly ProxyScope[],
  names: ModelNames,
  making: ApisixMaking,
): readonly TakenProxy[] {
  const isMulti = name === 'ai-proxy-multi'
  const items = isMulti ? (config.get('instances')?.items() ?? []) : [config]
  const instances = items.flatMap((item) => takeInstance(item, config.get('timeout'), making) ?? [])
  const semantic = instances.length < 2 ? undefined : takeSemantic(config, making)
  const [only] = items.length === 1 && instances.length === 1 ? items : []
  const owner = plainName(scopes[0]?.routes[0]?.name ?? 'apisix')
  const settled = settledOptions(only?.get('options'), owner, isSetting, making)
  const taken =
    instances.length === 0
      ? []
      : scopes.flatMap((scope) => takeRoute({ instances, semantic }, config, { ...scope, settled }, names, making) ?? [])
  for (const item of items) {
    if (items.length > 1) leaveOptions(item.get('options'), isSetting, askedTheSame)
    item.get('options')?.left('it is written into no request to a model that was taken over')
  }
  for (const [key, why] of Object.entries(leftOfProxy)) config.get(key)?.left(why)
  return taken
}

function takeRoute(
  { instances, semantic }: { readonly instances: readonly ApisixInstance[]; readonly semantic: ForeignSemantic | undefined },
  config: Foreign,
  { settled, ...scope }: ProxyScope & { readonly settled: RoutePart | undefined },
  names: ModelNames,
  making: ApisixMaking,
): TakenProxy | undefined {
  const unit = plainName(scope.routes[0]?.name ?? 'apisix')
  const models = new Set(instances.map(({ model }) => model))
  const [only] = models
  const name = names.take(models.size === 1 && only !== undefined ? only : unit, unit)
  const entry = new DraftEntry().set('model', literal(name))
  const examples = instances.map((instance) => (semantic === undefined ? undefined : examplesOf(instance, making)))
  const isCompared = examples.some((some) => some !== undefined)
  if (isCompared && semantic !== undefined) setSemantic(entry, semantic)
  const isBalanced = !isCompared && instances.length > 1 && setBalance(entry, config.within('balancer', 'algorithm'))
  const shares = sharesOf(
    instances.map(({ weight, priority }) => ({
      weight: isBalanced ? weight : undefined,
      rank: isCompared ? 0 : -(priority?.number() ?? 0),
    })),
  )
  const upstreams = instances.map(({ upstream, model, modelFrom, weight, priority, examples: said }, at) => {
    const share = shares[at] ?? {}
    const own = examples[at]
    if (own !== undefined && said !== undefined) entry.from(said, `upstreams[${at}].examples`)
    if (modelFrom !== undefined) entry.from(modelFrom, `upstreams[${at}]`)
    if (weight !== undefined && share.weight !== undefined) entry.from(weight, `upstreams[${at}].weight`)
    if (priority !== undefined && instances.length > 1 && !isCompared) entry.from(priority, `upstreams[${at}]`)
    return routeTarget(upstream, model, name, own === undefined ? share : { ...share, examples: own })
  })
  entry.set('upstreams', upstreams)
  for (const part of routePartsOf(scope.plugins, making)) part(entry)
  settled?.(entry)
  if (!making.draft.push('routes', entry)) return undefined
  return { ...scope, names: [literal(name)], upstreams: instances.map(({ upstream, label }) => ({ name: upstream, label })) }
}

/** False when upstreams are not chosen among like this here: they are asked in their order then. */
function setBalance(entry: DraftEntry, algorithm: Foreign | undefined): boolean {
  const name = algorithm?.text() ?? 'roundrobin'
  if (name === 'chash')
    entry.set('balance', 'sticky', algorithm, 'one upstream has the whole of a conversation, whatever one was chosen by')
  else if (name === 'roundrobin') entry.set('balance', 'weighted', algorithm)
  return entry.value['balance'] !== undefined
}
