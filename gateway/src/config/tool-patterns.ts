/**
 * Refuses names of tools that no tool can have: what is shown of a server's tools has letters, digits, `_` and `-` only, so a
 * contract, grant or selection for anything else would match nothing, without a word.
 */
import type { Config } from '@turnward/contract/config'
import { serverOfName } from '../core/tool-names.ts'
import type { ConfigPath } from './locate.ts'
import type { ReportAt } from './problems.ts'

/** Reports names and patterns of tools that nothing can match. */
export function checkToolPatterns(config: Config, report: ReportAt): void {
  const check = (pattern: string, path: ConfigPath, where: 'key' | 'value'): void => {
    const server = serverOfName(pattern)
    // Tools that clients run have names of their own.
    if (server === undefined || !Object.hasOwn(config.servers, server) || /^[A-Za-z0-9_*-]*$/.test(pattern)) return
    report(
      path,
      'no tool is shown under such a name: other characters than letters, digits, `_` and `-` become `_`, and a hash follows; use `*` in their place',
      { where },
    )
  }
  for (const pattern of Object.keys(config.contracts)) check(pattern, ['contracts', pattern], 'key')
  for (const [index, { tools, forbid }] of config.grants.entries()) {
    for (const [at, pattern] of tools.entries()) check(pattern, ['grants', index, 'tools', at], 'value')
    for (const [at, pattern] of (forbid?.tools ?? []).entries()) check(pattern, ['grants', index, 'forbid', 'tools', at], 'value')
  }
  for (const [id, { grants }] of Object.entries(config.keys))
    for (const [at, pattern] of (grants?.tools ?? []).entries()) check(pattern, ['keys', id, 'grants', 'tools', at], 'value')
  for (const [name, { tools, always, listing }] of Object.entries(config.gateways)) {
    for (const [at, pattern] of tools.entries()) check(pattern, ['gateways', name, 'tools', at], 'value')
    for (const [at, pattern] of always.entries()) check(pattern, ['gateways', name, 'always', at], 'value')
    if (always.length > 0 && listing !== 'search')
      report(['gateways', name, 'always'], 'without `listing: search` every tool is listed', { where: 'key' })
  }
}
