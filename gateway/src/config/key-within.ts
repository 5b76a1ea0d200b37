/** The grants of a key, as its caller carries them. */
import type { KeyGrants } from '@turnward/contract/config/identity/key-limits'
import type { Within } from '../core/principal.ts'

/** A kind that is not named is not restricted. A server is all its tools, resources and prompts. */
export function withinOf({ models, gateways, servers, tools }: KeyGrants): Within {
  const ofServers = servers?.flatMap((server) => [`${server}__*`, `resource:${server}/*`, `prompt:${server}/*`])
  return {
    models: models ?? null,
    gateways: gateways ?? null,
    tools: tools === undefined && ofServers === undefined ? null : [...(tools ?? []), ...(ofServers ?? [])],
  }
}
