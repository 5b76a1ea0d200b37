/**
 * In which order the upstreams of a route are asked for one call, and why. By priority, then as the route balances; what is known
 * to be in trouble comes last, because asking it is still better than answering nothing.
 */
import type { BalanceName } from '@turnward/contract/config/balancing'
import type { UsageRecord } from '@turnward/contract/decision'
import type { Route, RouteTarget, Snapshot } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import type { Caller } from '../../core/principal.ts'
import { resolveCredential } from '../../identity/credentials.ts'
import type { StoredCredentials } from '../../identity/vault/stored-credentials.ts'
import type { Prices } from '../prices/prices.ts'
import { priceOf } from '../prices/tariff.ts'
import type { Upstreams } from '../upstreams.ts'
import { asksCost, balances, type Candidate, orderOf } from './balances.ts'
import type { Trouble } from './upstream-state.ts'

export interface PlanningServices {
  readonly upstreams: Upstreams
  readonly credentials: StoredCredentials
  readonly prices: Prices
  readonly clock: Clock
}

/** What is asked, as far as it matters to where. */
export interface AskedRoute {
  readonly snapshot: Snapshot
  readonly caller: Caller
  readonly route: Route
  /** The name the caller asked for. */
  readonly model: string
  readonly isStream: boolean
  /** What is to stay at one upstream. */
  readonly stickyKey: string
  /** What the call is expected to use. */
  readonly expected: () => UsageRecord
  /** How near what it says is to examples; undefined where it says nothing that could be compared. */
  readonly nearness?: Nearness | undefined
}

/** How near what was said is to what upstreams are for. */
export interface Nearness {
  /** Cosine; undefined where that is not near enough. */
  readonly of: (target: RouteTarget) => number | undefined
  /** Why one is near to nothing, in words of ours. */
  readonly otherwise: string
}

/** An upstream that others were preferred to, because something is wrong there. */
export interface PassedOver {
  readonly upstream: string
  readonly why: string
}

export interface Plan {
  /** Whom to ask, in this order. */
  readonly targets: readonly RouteTarget[]
  readonly balance: BalanceName
  /** Why each stands where it stands. Empty where there is nothing to choose. */
  readonly why: ReadonlyMap<RouteTarget, string>
  readonly passedOver: readonly PassedOver[]
  /** Those that come last because something is wrong there. */
  readonly troubled: ReadonlySet<RouteTarget>
}

/** At once where there is nothing to choose. Never rejects. */
export function planRoute(services: PlanningServices, asked: AskedRoute, targets = asked.route.targets): Plan | Promise<Plan> {
  const { balance } = asked.route
  if (targets.length < 2) return { targets, balance, why: nothing, passedOver: [], troubled: nobody }
  return plan(services, asked, targets)
}

const nothing: ReadonlyMap<RouteTarget, string> = new Map()
const nobody: ReadonlySet<RouteTarget> = new Set()

interface Looked extends Candidate {
  readonly trouble: Trouble | undefined
}

async function plan(services: PlanningServices, asked: AskedRoute, targets: readonly RouteTarget[]): Promise<Plan> {
  const { balance } = asked.route
  const otherwise = { balance: asked.route.semantic?.fallback ?? 'ordered', why: asked.nearness?.otherwise ?? 'nothing is compared here' }
  const facts = { stickyKey: asked.stickyKey, random: Math.random, otherwise }
  const looked = await Promise.all(targets.map((target) => lookAt(services, asked, target, asksCost(balance, facts))))
  const why = new Map<RouteTarget, string>()
  const spare = ({ target }: Looked): boolean => target.weight === 0
  // A weight of 0 comes after every priority, and trouble after that.
  const well = looked.filter(({ trouble }) => trouble === undefined)
  const groups = [...byPriority(well.filter((one) => !spare(one))), ...byPriority(well.filter(spare))]
  const ordered = groups.flatMap((group) => {
    for (const candidate of group) why.set(candidate.target, balances[balance].why(candidate, group, facts))
    return orderOf(balance, group, facts)
  })
  const troubled = looked.flatMap(({ target, trouble }) => (trouble === undefined ? [] : [{ target, trouble }]))
  for (const { target, trouble } of troubled) why.set(target, `nobody else is left: ${describe(trouble)}`)
  return {
    targets: [...ordered.map(({ target }) => target), ...soonestFirst(troubled)],
    balance,
    why,
    passedOver: troubled.map(({ target, trouble }) => ({ upstream: target.upstream.name, why: describe(trouble) })),
    troubled: troubled.length === 0 ? nobody : new Set(troubled.map(({ target }) => target)),
  }
}

async function lookAt(services: PlanningServices, asked: AskedRoute, target: RouteTarget, isCostAsked: boolean): Promise<Looked> {
  const { upstreams } = services
  const { upstream, model = asked.model } = target
  const { health } = upstreams
  // Which credential it would be only matters while one of them has used up its limits.
  const credential = health.hasCooldowns(upstream, model) ? await credentialOf(services, asked, target) : undefined
  return {
    target,
    weight: target.weight === undefined || target.weight === 0 ? 1 : target.weight,
    running: health.load(upstream),
    latencyMs: health.latency(upstream, model, asked.isStream),
    nearness: asked.nearness?.of(target),
    cost: isCostAsked ? await costAt(services, asked, target) : undefined,
    trouble: health.trouble(upstream, model, credential),
  }
}

/** Undefined where there is none: whoever asks is told why. */
async function credentialOf(
  services: PlanningServices,
  { snapshot, caller }: AskedRoute,
  { upstream }: RouteTarget,
): Promise<string | undefined> {
  try {
    return (await resolveCredential(snapshot, caller, upstream.name, services.clock.now(), services.credentials)).id
  } catch {
    return undefined
  }
}

async function costAt(
  { prices }: PlanningServices,
  { snapshot, model, expected }: AskedRoute,
  target: RouteTarget,
): Promise<number | undefined> {
  await prices.ready(target.upstream)
  const tariff = prices.tariffOf(snapshot.prices, { upstream: target.upstream, models: [model, target.model] })
  return tariff === undefined ? undefined : priceOf(tariff, expected())
}

function byPriority(candidates: readonly Looked[]): readonly (readonly Looked[])[] {
  const groups = new Map<number, Looked[]>()
  for (const candidate of candidates) {
    const { priority = 0 } = candidate.target
    const group = groups.get(priority)
    if (group === undefined) groups.set(priority, [candidate])
    else group.push(candidate)
  }
  return [...groups].toSorted(([a], [b]) => a - b).map(([, group]) => group)
}

/** Who is to be well again first is asked first. */
function soonestFirst(troubled: readonly { readonly target: RouteTarget; readonly trouble: Trouble }[]): readonly RouteTarget[] {
  return troubled.toSorted((a, b) => a.trouble.until - b.trouble.until).map(({ target }) => target)
}

const words: Readonly<Record<Trouble['kind'], string>> = {
  unreachable: 'it cannot be reached',
  failing: 'its model fails',
  throttled: 'its limits are used up',
}

function describe({ kind, why }: Trouble): string {
  return `${words[kind]}: ${why}`
}
