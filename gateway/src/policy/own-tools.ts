/**
 * The gateway's own tools as the engine sees them, where a gateway shows some: everybody may use them, because they do nothing by
 * themselves. What one runs is decided as the tool that it runs; what one finds counts as nothing that was read only where the
 * words are known to be the gateway's, so its contract vouches for nothing.
 */
import type { Config } from '@turnward/contract/config'
import { ownToolNames } from '../core/tool-names.ts'
import type { Grant } from './grants.ts'
import type { Contract } from './types.ts'

const source = 'the gateway itself'

/** Whether any gateway shows tools of its own. */
export function showsOwnTools(gateways: Partial<Config['gateways']> = {}): boolean {
  return Object.values(gateways).some((gateway) => gateway?.listing === 'search')
}

export const ownToolGrant: Grant = {
  source,
  forbidSource: source,
  principals: new Set(['*']),
  groups: new Set(),
  consumers: undefined,
  actors: undefined,
  issuers: undefined,
  allow: { models: [], gateways: [], servers: [], tools: [...ownToolNames] },
  forbid: undefined,
}

export const ownToolContracts: readonly Contract[] = ownToolNames.map((pattern) => ({
  pattern,
  source,
  output: { trust: 0, audience: ['$principal'] },
  effects: [],
  requires: { trust: undefined, includes: [], done: [], notDone: [] },
}))
