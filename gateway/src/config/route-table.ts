/** From a model name to the upstreams that serve it: exact name first, then the longest pattern. */
import type { Config } from '@turnward/contract/config'
import { durationMs } from '@turnward/contract/config/durations'
import { compareSpecificity, compilePattern } from '../policy/patterns.ts'
import { compileMatch } from './route-matching.ts'
import { targetsOf } from './route-targets.ts'
import type {
  Guard,
  Retriever,
  Route,
  RouteCache,
  RouteMessages,
  RouteSemantic,
  RouteTable,
  RouteTarget,
  Template,
  Transform,
  Upstream,
} from './snapshot.ts'
import { templatesOf } from './templates.ts'

/** Names a client may ask with; longer ones match nothing, which also bounds the work per request. */
const maxModelName = 256

/** What routes name besides upstreams. */
interface RouteParticulars {
  readonly guards: ReadonlyMap<string, Guard>
  readonly templates: ReadonlyMap<string, Template>
  readonly retrievers: ReadonlyMap<string, Retriever>
  readonly transforms: ReadonlyMap<string, Transform>
}

const nothingMore: RouteParticulars = { guards: new Map(), templates: new Map(), retrievers: new Map(), transforms: new Map() }

/** What is named by the routes must exist; what does not is left out. */
export function compileRoutes(
  routes: Config['routes'],
  upstreams: ReadonlyMap<string, Upstream>,
  caps: Config['policy']['conditions'],
  { guards, templates, retrievers, transforms }: RouteParticulars = nothingMore,
): RouteTable {
  const direct = [...upstreams.values()].filter(({ config }) => config.direct).flatMap(({ name }) => directRoutes(name))
  const all: readonly RouteParts[] = [...routes, ...direct]
  const compiled: Route[] = all.map((route) => ({
    model: route.model,
    models: route.models,
    applies: compileMatch(route.match, caps),
    description: route.description,
    balance: route.balance ?? 'ordered',
    retries: route.retries ?? noRetries,
    semantic: semanticOf(route),
    hedge: route.hedge === undefined ? undefined : { afterMs: durationMs(route.hedge.after), atMost: route.hedge.at_most },
    onContextLength: route.on_context_length === undefined ? undefined : targetOf(route.on_context_length, upstreams),
    cache: route.cache === undefined ? undefined : cacheOf(route.cache),
    guards: route.guards.flatMap((name) => guards.get(name) ?? []),
    added: addedOf(route),
    templates: templatesOf(route.templates, templates),
    context: (route.context ?? []).flatMap((name) => retrievers.get(name) ?? []),
    transforms: (route.transforms ?? []).flatMap((name) => transforms.get(name) ?? []),
    targets: route.upstreams.flatMap((target) => targetOf(target, upstreams) ?? []),
  }))
  const exact = new Map<string, readonly Route[]>()
  for (const route of compiled.filter(({ model }) => !model.includes('*')))
    exact.set(route.model, [...(exact.get(route.model) ?? []), route])
  for (const [name, sharing] of exact) exact.set(name, sharing.toSorted(conditionsFirst))
  const patterns = compiled
    .filter((route) => route.model.includes('*'))
    .toSorted((a, b) => compareSpecificity(a.model, b.model) || conditionsFirst(a, b))
    .map((route) => ({
      route,
      matches: compilePattern(route.model),
      takesRest: targetsOf(route).some(({ model }) => model?.includes('*')),
    }))
  return {
    resolve(model, facts) {
      const fits = ({ applies }: Route): boolean => facts === undefined || applies === undefined || applies(model, facts)
      const named = exact.get(model)?.find(fits)
      if (named !== undefined || model.length > maxModelName) return named
      const found = patterns.find(({ matches, route }) => matches(model) && fits(route))
      return found?.takesRest === true ? withRest(found.route, model) : found?.route
    },
    names: [...exact.keys()],
    all: compiled,
    patterns: patterns.map(({ route }) => route),
  }
}

type RouteConfig = Config['routes'][number]
type RouteParts = Pick<RouteConfig, 'model' | 'models' | 'upstreams' | 'guards'> &
  Partial<
    Pick<
      RouteConfig,
      | 'balance'
      | 'semantic'
      | 'retries'
      | 'hedge'
      | 'on_context_length'
      | 'match'
      | 'description'
      | 'prepend'
      | 'append'
      | 'templates'
      | 'context'
      | 'transforms'
      | 'cache'
    >
  >

function cacheOf(cache: NonNullable<RouteConfig['cache']>): RouteCache {
  const { ttl, max_bytes: maxBytes, scope, tools, media } = cache
  const near =
    cache.kind === 'semantic'
      ? { embeddings: { model: cache.embeddings, timeoutMs: cache.timeout_ms }, threshold: cache.threshold }
      : undefined
  return { ttlMs: durationMs(ttl), maxBytes, scope, tools, media, near }
}

function semanticOf({ balance, semantic, upstreams }: RouteParts): RouteSemantic | undefined {
  if (balance !== 'semantic' || semantic === undefined) return undefined
  const { embeddings: model, timeout_ms: timeoutMs, threshold, fallback } = semantic
  const examples = upstreams.flatMap((target) => (typeof target === 'string' ? [] : (target.examples ?? [])))
  return { embeddings: { model, timeoutMs }, threshold, fallback, examples: [...new Set(examples)] }
}

const noRetries: RouteConfig['retries'] = { attempts: 0, wait_ms: 0, longest_wait_ms: 0 }

function addedOf({ prepend = [], append = [] }: RouteParts): RouteMessages | undefined {
  const all = [...prepend, ...append]
  return all.length === 0 ? undefined : { prepend, append, bytes: all.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0) }
}

/** Of several routes of one model the one without conditions is the last; the others keep their order. */
function conditionsFirst(a: Route, b: Route): number {
  return Number(a.applies === undefined) - Number(b.applies === undefined)
}

/** Both ways of naming an upstream; one of them is listed. */
function directRoutes(upstream: string): readonly RouteParts[] {
  const target = { upstream, model: '*', weight: 1, priority: 0 }
  return [
    { model: `${upstream}/*`, upstreams: [target], guards: [] },
    { model: `${upstream}:*`, models: [], upstreams: [target], guards: [] },
  ]
}

function targetOf(
  target: RouteConfig['upstreams'][number] | NonNullable<RouteConfig['on_context_length']>,
  upstreams: ReadonlyMap<string, Upstream>,
): RouteTarget | undefined {
  const said: {
    upstream: string
    model?: string | undefined
    weight?: number
    priority?: number
    examples?: readonly string[] | undefined
  } = typeof target === 'string' ? { upstream: target } : target
  const upstream = upstreams.get(said.upstream)
  return upstream === undefined
    ? undefined
    : { upstream, model: said.model, weight: said.weight ?? 1, priority: said.priority ?? 0, examples: said.examples }
}

/** The route for one name: what its `*` stands for is in the names that are sent. */
function withRest(route: Route, name: string): Route {
  const star = route.model.indexOf('*')
  const rest = name.slice(star, name.length - (route.model.length - star - 1))
  const named = (target: RouteTarget): RouteTarget => ({ ...target, model: target.model?.replaceAll('*', () => rest) })
  const { targets, onContextLength: longer } = route
  return { ...route, targets: targets.map(named), onContextLength: longer === undefined ? undefined : named(longer) }
}
