/** Finds the tool a client means in what its gateway shows. Unknown gateways, unknown tools and ungranted ones cannot be told apart. */
import { TurnwardError } from '../core/error.ts'
import { granted } from '../policy/grants.ts'
import type { CatalogueTool } from '../tools/catalogue.ts'
import type { McpContext } from '../tools/operations.ts'
import type { Services } from './services.ts'

/** The grant that opens the gateway. Throws `grant.gateway`. */
export function requireGateway(context: McpContext): string {
  const { snapshot, caller, gateway } = context
  const source = granted(snapshot.policy.grants, caller.principal, 'gateways', gateway)
  if (source === undefined || !snapshot.gateways.has(gateway)) throw new TurnwardError('grant.gateway', { subject: gateway.slice(0, 64) })
  return source
}

/** Throws `grant.gateway` or `grant.tool`. */
export async function resolveTool(services: Services, context: McpContext, name: string): Promise<CatalogueTool> {
  requireGateway(context)
  const catalogue = await services.fleet.catalogue(context.gateway)
  const tool = catalogue.resolve(name)
  const isGranted = tool !== undefined && granted(context.snapshot.policy.grants, context.caller.principal, 'tools', tool.name) !== undefined
  if (tool === undefined || !isGranted) throw new TurnwardError('grant.tool', { subject: name.slice(0, 128) })
  return tool
}
