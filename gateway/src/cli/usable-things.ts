/** What a person can use of what an application asks for, by name: for the page that asks whether it may. */
import type { Snapshot } from '../config/snapshot.ts'
import type { Caller, Principal } from '../core/principal.ts'
import type { Asked, Usable, UsableGateway } from '../identity/oauth-server/consent-page.ts'
import { ownIssuer } from '../identity/oauth-server/own-token-way.ts'
import { granted } from '../policy/grant-index.ts'
import type { Fleet } from '../tools/catalogue.ts'

/** Resolves without the tools of servers that cannot be asked now; those are named. */
export async function usableThings(
  fleet: Pick<Fleet, 'for' | 'hold'>,
  snapshot: Snapshot,
  principal: Principal,
  asked: Asked,
): Promise<Usable> {
  const { routes, gateways, policy } = snapshot
  const caller = callerFor(principal, asked.client)
  const may = (kind: 'models' | 'gateways' | 'tools', name: string): boolean => granted(policy.grants, caller, kind, name) !== undefined
  const isOfAll = asked.resources.some(({ kind }) => kind === 'root')
  const named = new Set(asked.resources.flatMap((resource) => (resource.kind === 'mcp' ? [resource.gateway] : [])))
  const meant = asked.scopes.includes('mcp')
    ? [...gateways.keys()].filter((name) => (isOfAll || named.has(name)) && may('gateways', name))
    : []
  const release = fleet.hold(snapshot)
  try {
    const seen = fleet.for(snapshot, caller)
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

/** The person as the application would call, if it called now. */
function callerFor(principal: Principal, client: string): Caller {
  return {
    principal,
    key: 'consent',
    consumer: client,
    actor: null,
    actors: [],
    issuer: ownIssuer,
    scopes: null,
    expires: null,
    claims: {},
    credentials: new Map<string, string>(),
    later: '',
  }
}
