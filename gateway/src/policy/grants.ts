/** Grants: who may use which models, gateways and tools. What no grant names is denied. */
import type { Config } from '@turnward/contract/config'
import type { Principal } from '../core/principal.ts'
import { compileNames } from './patterns.ts'
import type { Grant } from './types.ts'

/** Compiles the grants in the order of the file. References are checked by the config room. */
export function compileGrants(grants: Config['grants']): readonly Grant[] {
  return grants.map((grant, index) => ({
    source: `grant #${index + 1}`,
    principals: new Set(grant.principals),
    groups: new Set(grant.groups),
    models: compileNames(grant.models),
    gateways: compileNames(grant.gateways),
    tools: compileNames(grant.tools),
  }))
}

/** The source of the first grant that lets the principal use the named thing (`grant #2`), or undefined: denied. */
export function granted(
  grants: readonly Grant[],
  principal: Principal,
  kind: 'models' | 'gateways' | 'tools',
  name: string,
): string | undefined {
  return grants.find((grant) => isFor(grant, principal) && grant[kind].matches(name))?.source
}

function isFor(grant: Grant, principal: Principal): boolean {
  return grant.principals.has('*') || grant.principals.has(principal.id) || principal.groups.some((group) => grant.groups.has(group))
}
