/** From a model name to the upstreams that serve it: exact name first, then the longest pattern. */
import type { Config } from '@turnward/contract/config'
import { compareSpecificity, compilePattern } from '../policy/patterns.ts'
import type { Route, RouteTable, Upstream } from './snapshot.ts'

/** Names a client may ask with; longer ones match nothing, which also bounds the work per request. */
const maxModelName = 256

/** Upstreams named by the routes must exist in `upstreams`; targets that do not are left out. */
export function compileRoutes(routes: Config['routes'], upstreams: ReadonlyMap<string, Upstream>): RouteTable {
  const compiled: Route[] = routes.map((route) => ({
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
    .map((route) => ({ route, matches: compilePattern(route.model) }))
  return {
    resolve: (model) =>
      exact.get(model) ?? (model.length > maxModelName ? undefined : patterns.find(({ matches }) => matches(model))?.route),
    names: [...exact.keys()],
    patterns: patterns.map(({ route }) => route),
  }
}
