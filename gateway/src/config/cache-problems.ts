/** What a route says of its cache that leads nowhere. */
import type { Config } from '@turnward/contract/config'
import { compilePattern } from '../policy/patterns.ts'
import type { ReportAt } from './problems.ts'

/** Reports models of embeddings that no route serves. */
export function checkCaches({ routes }: Config, report: ReportAt): void {
  for (const [index, { cache }] of routes.entries()) {
    if (cache?.kind !== 'semantic' || routes.some(({ model }) => compilePattern(model)(cache.embeddings))) continue
    report(['routes', index, 'cache', 'embeddings'], `no route serves \`${cache.embeddings}\``)
  }
}
