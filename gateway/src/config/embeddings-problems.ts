/** What compares texts for a route, and leads nowhere. */
import type { Config } from '@turnward/contract/config'
import { compilePattern } from '../policy/patterns.ts'
import type { ConfigPath } from './locate.ts'
import type { ReportAt } from './problems.ts'

/** Reports models of embeddings that no route serves. */
export function checkEmbeddings({ routes }: Config, report: ReportAt): void {
  const expectServed = (embeddings: string, path: ConfigPath): void => {
    if (!routes.some(({ model }) => compilePattern(model)(embeddings))) report(path, `no route serves \`${embeddings}\``)
  }
  for (const [index, { cache, semantic }] of routes.entries()) {
    if (cache?.kind === 'semantic') expectServed(cache.embeddings, ['routes', index, 'cache', 'embeddings'])
    if (semantic !== undefined) expectServed(semantic.embeddings, ['routes', index, 'semantic', 'embeddings'])
  }
}
