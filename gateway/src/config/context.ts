/** Retrievers, from the configuration to what calls ask. */
import type { Config } from '@turnward/contract/config'
import { upstreamSchema } from '@turnward/contract/config/model-floor'
import { closest } from '../core/closest-name.ts'
import { deepFreeze } from '../core/freeze.ts'
import { contextServer } from '../core/tool-names.ts'
import { compileRouteCondition } from '../policy/route-conditions.ts'
import type { ReportAt } from './problems.ts'
import { compileMatch } from './route-matching.ts'
import type { Retriever } from './snapshot.ts'

/** Reports retrievers that routes name and nobody declared, conditions that are none, and a server whose results would have their names. */
export function checkContext(config: Config, report: ReportAt): void {
  const names = Object.keys(config.context)
  for (const [index, { context }] of config.routes.entries())
    for (const [position, name] of context.entries()) {
      const path = ['routes', index, 'context', position]
      if (!Object.hasOwn(config.context, name))
        report(path, `there is no retriever \`${name}\` under \`context\``, { suggestion: closest(name, names) })
      else if (context.indexOf(name) < position) report(path, `\`${name}\` is listed twice`)
    }
  for (const [name, { when }] of Object.entries(config.context)) {
    const condition = when === undefined ? undefined : compileRouteCondition(when, config.policy.conditions)
    if (condition !== undefined && 'problems' in condition)
      for (const message of condition.problems) report(['context', name, 'when'], message)
  }
  if (names.length > 0 && Object.hasOwn(config.servers, contextServer))
    report(['servers', contextServer], 'what retrievers find is read under names that begin so: call the server otherwise', {
      where: 'key',
    })
}

export function compileContext({ context, policy }: Pick<Config, 'context' | 'policy'>): ReadonlyMap<string, Retriever> {
  return new Map(
    Object.entries(context).map(([name, config]): [string, Retriever] => {
      const { url, headers, timeout_ms: ms, when } = config
      const bounds = { timeout_ms: ms, idle_timeout_ms: ms, connect_timeout_ms: ms, connections: 64 }
      const service = {
        name: `context ${name}`,
        config: upstreamSchema.parse({ kind: 'openai-compatible', base_url: url, headers, ...bounds }),
      }
      const applies = when === undefined ? undefined : compileMatch({ when }, policy.conditions)
      return [name, { name, config, service: deepFreeze(service), applies }]
    }),
  )
}
