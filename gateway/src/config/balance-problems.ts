/** What a route says of its upstreams that would mean nothing, or not what it seems to. */
import type { Config } from '@turnward/contract/config'
import type { ConfigPath } from './locate.ts'
import type { ReportAt } from './problems.ts'

type Route = Config['routes'][number]

export function checkBalance(config: Config, report: ReportAt): void {
  for (const [index, { balance, upstreams, hedge }] of config.routes.entries()) {
    if (hedge !== undefined) checkHedge({ upstreams, hedge }, ['routes', index, 'hedge'], report)
    if (balance !== 'ordered') continue
    for (const [position, target] of upstreams.entries()) {
      if (typeof target === 'string' || target.weight === 0 || target.weight === 1) continue
      report(
        ['routes', index, 'upstreams', position, 'weight'],
        'a route that asks its upstreams in order has no use for a weight: set its `balance`, for example to `weighted`',
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
