/** Deployments of one name, the names that mean them too, and what is asked when they fail: routes. */
import type { Draft } from '../gateways/draft.ts'
import { DraftEntry } from '../gateways/draft-entry.ts'
import { literal } from '../gateways/foreign-text.ts'
import { leave, type Foreign } from '../gateways/foreign-value.ts'
import { listNames } from '../gateways/listed-names.ts'
import type { RoutePart } from '../gateways/route-part.ts'
import { routeTarget } from '../gateways/route-target.ts'
import { sharesOf, type Share } from '../gateways/shares.ts'
import type { Deployment } from './deployment.ts'
import type { TakenGuardrails } from './guardrails.ts'
import { contextFallbacksOf, fallbacksOf, type ContextFallback, type Fallback } from './fallbacks.ts'

/** How deployments of one name are chosen among: theirs, ours, and what is different. */
const strategies: Readonly<Record<string, readonly [balance: string, why?: string]>> = {
  'simple-shuffle': ['weighted'],
  'least-busy': ['least_busy'],
  'latency-based-routing': ['lowest_latency'],
  'cost-based-routing': ['lowest_cost'],
  'usage-based-routing': ['least_busy', 'it is the one with the fewest calls under way, not the one with the fewest tokens'],
  'usage-based-routing-v2': ['least_busy', 'it is the one with the fewest calls under way, not the one with the fewest tokens'],
}

export interface ForAllRoutes {
  /** What is set on each of them. */
  readonly part: RoutePart | undefined
  readonly guards: TakenGuardrails
}

/** Makes the routes of all deployments. `sections`: where fallbacks, aliases and the strategy may stand, the ones that count first. */
export function takeRoutes(
  deployments: readonly Deployment[],
  sections: readonly (Foreign | undefined)[],
  forAll: ForAllRoutes,
  draft: Draft,
): void {
  const groups = Map.groupBy(deployments, ({ name }) => name)
  const fallbacks = fallbacksOf(groups, sections)
  const longer = contextFallbacksOf(groups, sections)
  const said = (key: string): Foreign | undefined => sections.map((section) => section?.get(key)).find((found) => found !== undefined)
  const general = { strategy: said('routing_strategy'), retries: said('num_retries'), ...forAll }
  const failing = (name: string): WhenFailing => ({ fallbacks: fallbacks.get(name) ?? [], longer: longer.get(name) })
  for (const [name, group] of groups) {
    const names = group.map(({ nameFrom }) => nameFrom)
    draft.push('routes', routeOf(name, names, group, failing(name), general))
  }
  for (const section of sections) {
    for (const [alias, from] of section?.get('model_group_alias')?.entries() ?? []) {
      const target = from.get('model') ?? from
      const name = target.text() ?? ''
      const group = groups.get(name)
      if (group === undefined || groups.has(alias))
        target.left(group === undefined ? 'no model of that name was taken over' : 'there is a model of this name')
      else draft.push('routes', routeOf(alias, [target], group, failing(name), general))
      leave(from, { hidden: 'every name that a caller may use is listed' })
    }
  }
}

/** What is asked when the deployments of a name fail. */
interface WhenFailing {
  readonly fallbacks: readonly Fallback[]
  readonly longer: ContextFallback | undefined
}

/** What holds for every route. */
interface General extends ForAllRoutes {
  readonly strategy: Foreign | undefined
  readonly retries: Foreign | undefined
}

function routeOf(
  name: string,
  names: readonly Foreign[],
  group: readonly Deployment[],
  { fallbacks, longer }: WhenFailing,
  { strategy, retries, part, guards }: General,
): DraftEntry {
  const entry = new DraftEntry().set('model', literal(name))
  for (const from of names) entry.from(from, 'model')
  const isBalanced = group.length > 1
  const balance = isBalanced ? setBalance(entry, strategy) : undefined
  const metric = balance === 'weighted' ? metricOf(group) : undefined
  // Those of a fallback come after all that have the name, and after those of the one before.
  const later = Math.max(0, ...group.map(({ order }) => order?.number() ?? 0)) + 1
  const asked = [
    ...group.map((deployment) => ({
      deployment,
      weight: metric === undefined ? undefined : deployment.weights[metric],
      rank: isBalanced ? (deployment.order?.number() ?? 0) : 0,
      from: undefined,
    })),
    ...fallbacks.flatMap(({ deployments, from }, at) =>
      deployments.map((deployment) => ({ deployment, from, weight: undefined, rank: isBalanced ? later + at : 0 })),
    ),
  ]
  const shares = sharesOf(asked)
  const targets: unknown[] = []
  const places = new Map<string, number>()
  for (const [index, one] of asked.entries()) {
    const share: Share = shares[index] ?? {}
    const content = JSON.stringify([one.deployment.upstream, one.deployment.model])
    const known = places.get(content)
    const at = known ?? targets.push(routeTarget(one.deployment.upstream, one.deployment.model, name, share)) - 1
    places.set(content, at)
    if (one.from !== undefined) {
      entry.from(one.from, `upstreams[${at}]`)
      continue
    }
    entry.from(one.deployment.modelFrom, `upstreams[${at}]`)
    if (one.deployment.order !== undefined && isBalanced) entry.from(one.deployment.order, `upstreams[${at}]`)
    if (one.weight !== undefined && share.weight !== undefined && known === undefined) entry.from(one.weight, `upstreams[${at}].weight`)
  }
  entry.set('upstreams', targets)
  if (longer !== undefined)
    entry.set('on_context_length', routeTarget(longer.deployment.upstream, longer.deployment.model, name), longer.from)
  const attempts = retries?.number()
  if (attempts !== undefined && Number.isInteger(attempts) && attempts >= 1 && attempts <= 10)
    entry.set('retries', { attempts }, retries, 'a call is asked again when every upstream of its route has failed')
  part?.(entry)
  setGuards(entry, group, guards)
  return entry
}

const forWholeName = 'it looks at every deployment of the name'

function setGuards(entry: DraftEntry, group: readonly Deployment[], guards: TakenGuardrails): void {
  for (const from of group.flatMap(({ guardrails }) => guardrails)) {
    const names = guards.get(from.text() ?? '') ?? []
    if (names.length === 0) continue
    listNames('guards', names)(entry)
    entry.from(from, 'guards', group.length > 1 ? forWholeName : undefined)
  }
}

/** What deployments are weighed by: the first that one of them has. */
function metricOf(group: readonly Deployment[]): keyof Deployment['weights'] | undefined {
  return (['weight', 'rpm', 'tpm'] as const).find((metric) => group.some(({ weights }) => weights[metric] !== undefined))
}

function setBalance(entry: DraftEntry, strategy: Foreign | undefined): string | undefined {
  const name = strategy?.text() ?? 'simple-shuffle'
  const [balance, why] = (Object.hasOwn(strategies, name) ? strategies[name] : undefined) ?? []
  if (balance !== undefined) entry.set('balance', balance, strategy, why)
  return balance
}
