/** What a person can use of what an application asks for, by name: for the page that asks whether it may. */
import type { Snapshot } from '../config/snapshot.ts'
import type { Principal, Scope } from '../core/principal.ts'
import type { Usable, UsableGateway } from '../identity/oauth-server/consent-page.ts'
import type { Resource } from '../identity/oauth-server/resources.ts'
import { granted } from '../policy/grants.ts'
import type { Fleet } from '../tools/catalogue.ts'

/** Resolves without the tools of servers that cannot be asked now; those are named. */
export async function usableThings(
  fleet: Pick<Fleet, 'for' | 'hold'>,
  snapshot: Snapshot,
  principal: Principal,
  asked: { readonly resources: readonly Resource[]; readonly scopes: readonly Scope[] },
): Promise<Usable> {
  const { routes, gateways, policy } = snapshot
  const may = (kind: 'models' | 'gateways' | 'tools', name: string): boolean => granted(policy.grants, principal, kind, name) !== undefined
  const isOfAll = asked.resources.some(({ kind }) => kind === 'root')
  const named = new Set(asked.resources.flatMap((resource) => (resource.kind === 'mcp' ? [resource.gateway] : [])))
  const meant = asked.scopes.includes('mcp')
    ? [...gateways.keys()].filter((name) => (isOfAll || named.has(name)) && may('gateways', name))
    : []
  const release = fleet.hold(snapshot)
  try {
    const seen = fleet.for(snapshot, callerFor(principal))
    const gatewayOf = async (name: string): Promise<UsableGateway> => {
      const catalogue = await seen.catalogue(name).catch(() => undefined)
      if (catalogue === undefined) return { name, tools: [], missing: gateways.get(name)?.servers ?? [] }
      const tools = catalogue.tools.filter((tool) => may('tools', tool.name)).map((tool) => tool.name)
      return { name, tools, missing: [...catalogue.missing.keys()] }
    }
    const models = asked.scopes.includes('models') ? [...routes.names, ...routes.patterns.map(({ model }) => model)] : []
    return { models: models.filter((name) => may('models', name)), gateways: await Promise.all(meant.map(gatewayOf)) }
  } finally {
    release()
  }
}

/** The person as a caller who calls nothing. */
function callerFor(principal: Principal) {
  return {
    principal,
    key: 'consent',
    consumer: null,
    actor: null,
    actors: [],
    issuer: null,
    scopes: null,
    expires: null,
    claims: {},
    credentials: new Map<string, string>(),
    later: '',
  }
}
