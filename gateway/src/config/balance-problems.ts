/** What a route says of its upstreams that would mean nothing, or not what it seems to. */
import type { Config } from '@turnward/contract/config'
import { mostExamples } from '@turnward/contract/config/balancing'
import type { ConfigPath } from './locate.ts'
import type { ReportAt } from './problems.ts'

type Route = Config['routes'][number]

export function checkBalance(config: Config, report: ReportAt): void {
  for (const [index, route] of config.routes.entries()) {
    const { balance, upstreams, hedge } = route
    checkExamples(route, ['routes', index], report)
    if (hedge !== undefined) checkHedge({ upstreams, hedge }, ['routes', index, 'hedge'], report)
    const isOrdered = balance === 'ordered' || (balance === 'semantic' && route.semantic?.fallback === 'ordered')
    if (!isOrdered) continue
    for (const [position, target] of upstreams.entries()) {
      if (typeof target === 'string' || target.weight === 0 || target.weight === 1) continue
      report(
        ['routes', index, 'upstreams', position, 'weight'],
        `a route that asks its upstreams in order has no use for a weight: set its \`${balance === 'semantic' ? 'fallback' : 'balance'}\`, for example to \`weighted\``,
      )
    }
  }
}

/** Only another upstream is asked: the same one would be as slow. */
function checkHedge(
  { upstreams, hedge }: { readonly upstreams: Route['upstreams']; readonly hedge: NonNullable<Route['hedge']> },
  path: ConfigPath,
  report: ReportAt,
): void {
  const others = new Set(upstreams.map((target) => (typeof target === 'string' ? target : target.upstream))).size - 1
  if (others === 0) report(path, 'the route has no other upstream that could be asked: list a second one')
  else if (hedge.at_most > others)
    report([...path, 'at_most'], `the route has only ${others} other upstream${others === 1 ? '' : 's'} that could be asked`)
}

/** Examples, and what they are compared with, are of one way to balance, which is nothing without them. */
function checkExamples({ balance, semantic, upstreams }: Route, path: ConfigPath, report: ReportAt): void {
  let count = 0
  for (const [position, target] of upstreams.entries()) {
    if (typeof target === 'string' || target.examples === undefined) continue
    count += target.examples.length
    if (balance !== 'semantic')
      report([...path, 'upstreams', position, 'examples'], 'only a route with `balance: semantic` compares anything with examples')
  }
  if (balance !== 'semantic') {
    if (semantic !== undefined) report([...path, 'semantic'], 'it is nothing without `balance: semantic`')
    return
  }
  if (semantic === undefined)
    report([...path, 'balance'], '`semantic` needs to be told what compares: `semantic: { embeddings, threshold }`')
  if (count === 0) report([...path, 'balance'], '`semantic` needs `examples` at the upstreams: sentences like those each is for')
  if (count > mostExamples) report([...path, 'upstreams'], `they have ${count} examples together, and a route has at most ${mostExamples}`)
}
