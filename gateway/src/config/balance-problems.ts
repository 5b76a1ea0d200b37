/** What a route says of its upstreams that would mean nothing, or not what it seems to. */
import type { Config } from '@turnward/contract/config'
import type { ReportAt } from './problems.ts'

export function checkBalance(config: Config, report: ReportAt): void {
  for (const [index, { balance, upstreams }] of config.routes.entries()) {
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
