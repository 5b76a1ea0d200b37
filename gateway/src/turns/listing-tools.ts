/** Which tools of a gateway a caller can call now, and what of them a list shows. The same decision as a call gets. */
import type { JsonObject } from '../core/json.ts'
import { granted } from '../policy/grant-index.ts'
import type { PolicyState } from '../policy/types.ts'
import type { Session } from '../state/sessions.ts'
import type { CatalogueTool } from '../tools/catalogue.ts'
import type { ListedTools, McpContext } from '../tools/operations.ts'
import { ownDefinitions } from '../tools/progressive/own-tools.ts'
import { listedGatewayTools } from './gateway-tools/gateway-tools.ts'
import { toolsShownNow } from './deciding/shaping-tools.ts'
import { linkedCall } from './linked-call.ts'
import { recordOf } from './recording/recording.ts'
import { requireGateway } from './resolving-tool.ts'
import type { Services } from './services.ts'
import { mcpSession } from './sessions/linking-session.ts'
import { forCall, inOneStep } from './state-of-call.ts'

/** The same decision as a call gets, so that a listed tool is a callable tool. Throws `grant.gateway`. */
export async function listCallableTools(services: Services, context: McpContext): Promise<ListedTools> {
  requireGateway(context)
  const { snapshot, caller, gateway } = context
  const { tools, missing, lacking = [] } = await services.fleet.for(snapshot, caller).catalogue(gateway)
  const session = await inOneStep(forCall(services, caller), (own) => mcpSession(own, context))
  const callable = callableTools(services, context, session, tools)
  const absent = new Map<string, 'unavailable' | 'incomplete'>()
  for (const server of lacking) absent.set(server, 'incomplete')
  for (const server of missing.keys()) absent.set(server, 'unavailable')
  const told = [...absent].filter(([server]) => mayUse(services, context, server))
  return {
    tools: shownOf(context, callable),
    complete: missing.size === 0,
    ...(told.length === 0 ? {} : { missing: Object.fromEntries(told) }),
  }
}

/** Whether the caller is granted anything of a server, as far as its tools are known. */
function mayUse({ fleet }: Services, { snapshot, caller }: McpContext, server: string): boolean {
  const names = fleet.known(snapshot).flatMap((tool) => (tool.server === server ? [tool.name] : []))
  return [`${server}__`, ...names].some((name) => granted(snapshot.policy.grants, caller, 'tools', name) !== undefined)
}

/** All of them, or those that are always listed and the two by which the others are found and run; and what the gateway answers itself. */
function shownOf({ snapshot, gateway }: McpContext, callable: readonly CatalogueTool[]): readonly JsonObject[] {
  const { listing, always } = snapshot.gateways.get(gateway) ?? {}
  const own = listedGatewayTools(snapshot.policy)
  if (listing !== 'search') return [...callable.map(({ definition }) => definition), ...own]
  const listed = callable.filter(({ name }) => always?.matches(name) === true)
  const servers = [...new Set(callable.map(({ server }) => server))]
  return [...ownDefinitions(servers), ...listed.map(({ definition }) => definition), ...own]
}

/** Those of these tools that can be called now. What the label hides is put on record. `state`: what is decided on. */
export function callableTools(
  services: Services,
  context: McpContext,
  session: Session,
  tools: readonly CatalogueTool[],
  state: PolicyState = session.policyState,
): readonly CatalogueTool[] {
  const { gateway } = context
  const call = linkedCall(services, context, session)
  const { shown, hidden } = toolsShownNow(call, tools, gateway, state)
  if (hidden.length > 0) {
    services.log.append(
      recordOf(call, {
        type: 'decision',
        kind: 'tool_list',
        subject: gateway,
        gateway,
        verdict: 'deny',
        action: 'hide',
        rules: ['policy.tools.hide'],
        reason: 'These tools cannot be called with what the session has read.',
        credential: 'none',
        hidden: [...hidden],
      }),
    )
  }
  return shown
}
