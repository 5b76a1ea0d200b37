/**
 * The gateway's own tools as the engine sees them, where a gateway shows some: everybody may use them, because they do nothing by
 * themselves. What one runs is decided as the tool that it runs; what one finds counts as nothing that was read only where the
 * words are known to be the gateway's, so its contract vouches for nothing.
 */
import type { Config } from '@turnward/contract/config'
import { askToolName, gatewayServer, isolatedToolName, searchingToolNames } from '../core/tool-names.ts'
import type { Grant } from './grants.ts'
import type { Contract, ToolSubject } from './types.ts'

const source = 'the gateway itself'

/** The tools of the gateway itself that there are under this configuration. */
export function ownTools({
  gateways = {},
  quarantine,
  isolate,
}: Partial<Pick<Config, 'gateways' | 'quarantine' | 'isolate'>>): readonly ToolSubject[] {
  const isSearched = Object.values(gateways).some((gateway) => gateway.listing === 'search')
  return [
    ...(isSearched ? searchingToolNames.map((name) => ({ name, server: gatewayServer })) : []),
    ...(quarantine === undefined ? [] : [{ name: askToolName, server: gatewayServer, answeredHere: true }]),
    ...(isolate === undefined ? [] : [{ name: isolatedToolName, server: gatewayServer, answeredHere: true }]),
  ]
}

export function ownToolGrant(tools: readonly ToolSubject[]): Grant {
  return {
    source,
    forbidSource: source,
    principals: new Set(['*']),
    groups: new Set(),
    consumers: undefined,
    actors: undefined,
    issuers: undefined,
    allow: { models: [], gateways: [], servers: [], tools: tools.map(({ name }) => name) },
    forbid: undefined,
  }
}

export function ownToolContracts(tools: readonly ToolSubject[]): readonly Contract[] {
  return tools.map(({ name }) => ({
    pattern: name,
    source,
    output: { trust: 0, audience: ['$principal'] },
    effects: [],
    requires: { trust: undefined, includes: [], done: [], notDone: [] },
  }))
}
