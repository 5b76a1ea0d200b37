/** Finds the tool a client means in what its gateway shows. Unknown gateways, unknown tools and ungranted ones cannot be told apart. */
import { TurnwardError } from '../core/error.ts'
import type { GrantRuling } from '../policy/grant-index.ts'
import { Ungranted } from '../policy/ungranted.ts'
import type { CatalogueEntry } from '../tools/catalogue.ts'
import { unavailable } from '../tools/connectors/failure.ts'
import { ownEntry } from '../tools/progressive/own-tools.ts'
import type { McpContext } from '../tools/operations.ts'
import type { Services } from './services.ts'

/** The grant that opens the gateway. Throws `grant.gateway`. */
export function requireGateway(context: McpContext): string {
  const { snapshot, caller, gateway } = context
  const ruling = snapshot.policy.grants.ruling(caller, 'gateways', gateway)
  if (!ruling.allowed || !snapshot.gateways.has(gateway))
    throw new TurnwardError('grant.gateway', { subject: gateway.slice(0, 64), cause: new Ungranted(ruling) })
  return ruling.source
}

/**
 * Throws `grant.gateway` or `grant.tool`; to those who have a grant for the tool, `mcp.tool_held` while its definition waits for
 * a review, and `mcp.server_unavailable` while its server is not there (yet). Servers that are starting have had their time by then.
 */
export async function resolveTool(services: Services, context: McpContext, name: string): Promise<CatalogueEntry> {
  requireGateway(context)
  let denied: GrantRuling | undefined
  const isGranted = (tool: string): boolean => {
    const ruling = context.snapshot.policy.grants.ruling(context.caller, 'tools', tool)
    if (!ruling.allowed) denied = ruling
    return ruling.allowed
  }
  const own = context.snapshot.policy.ownTools?.find((tool) => tool.answeredHere === true && tool.name === name)
  if (own !== undefined && isGranted(own.name)) return ownEntry(own.name)
  const catalogue = await services.fleet.for(context.snapshot, context.caller).catalogue(context.gateway)
  const tool = catalogue.resolve(name)
  if (tool !== undefined && isGranted(tool.name)) return tool
  const held = catalogue.held(name)
  if (held !== undefined && isGranted(held)) throw new TurnwardError('mcp.tool_held', { subject: held })
  const down = catalogue.down(name)
  if (down !== undefined && isGranted(down.tool)) throw unavailable(down.server, down.why)
  throw new TurnwardError('grant.tool', { subject: name.slice(0, 128), cause: denied && new Ungranted(denied) })
}
