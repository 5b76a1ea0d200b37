/** From a model name to the upstreams that serve it: exact name first, then the longest pattern. */
import type { Config } from '@turnward/contract/config'
import { compareSpecificity, compilePattern } from '../policy/patterns.ts'
import type { Route, RouteTable, Upstream } from './snapshot.ts'

/** Names a client may ask with; longer ones match nothing, which also bounds the work per request. */
const maxModelName = 256

/** Upstreams named by the routes must exist in `upstreams`; targets that do not are left out. */
export function compileRoutes(routes: Config['routes'], upstreams: ReadonlyMap<string, Upstream>): RouteTable {
  const direct = [...upstreams.values()].filter(({ config }) => config.direct).flatMap(({ name }) => directRoutes(name))
  const all: readonly Pick<RouteConfig, 'model' | 'models' | 'upstreams'>[] = [...routes, ...direct]
  const compiled: Route[] = all.map((route) => ({
    model: route.model,
    models: route.models,
    targets: route.upstreams.flatMap((target) => {
      const upstream = upstreams.get(typeof target === 'string' ? target : target.upstream)
      return upstream === undefined ? [] : [{ upstream, model: typeof target === 'string' ? undefined : target.model }]
    }),
  }))
  const exact = new Map(compiled.filter((route) => !route.model.includes('*')).map((route) => [route.model, route]))
  const patterns = compiled
    .filter((route) => route.model.includes('*'))
    .toSorted((a, b) => compareSpecificity(a.model, b.model))
    .map((route) => ({ route, matches: compilePattern(route.model), takesRest: route.targets.some(({ model }) => model?.includes('*')) }))
  return {
    resolve(model) {
      const named = exact.get(model)
      if (named !== undefined || model.length > maxModelName) return named
      const found = patterns.find(({ matches }) => matches(model))
      return found?.takesRest === true ? withRest(found.route, model) : found?.route
    },
    names: [...exact.keys()],
    patterns: patterns.map(({ route }) => route),
  }
}

type RouteConfig = Config['routes'][number]

/** Both ways of naming an upstream; one of them is listed. */
function directRoutes(upstream: string): readonly Pick<RouteConfig, 'model' | 'models' | 'upstreams'>[] {
  const target = { upstream, model: '*', weight: undefined }
  return [
    { model: `${upstream}/*`, upstreams: [target] },
    { model: `${upstream}:*`, models: [], upstreams: [target] },
  ]
}

/** The route for one name: what its `*` stands for is in the names that are sent. */
function withRest(route: Route, name: string): Route {
  const star = route.model.indexOf('*')
  const rest = name.slice(star, name.length - (route.model.length - star - 1))
  return { ...route, targets: route.targets.map(({ upstream, model }) => ({ upstream, model: model?.replaceAll('*', () => rest) })) }
}
