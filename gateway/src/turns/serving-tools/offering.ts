/**
 * Servers of this gateway that a request names by their address, and the tools of them that its caller may use. What cannot
 * be called now is taken out of the offer like any tool.
 */
import type { Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { asText, isObject } from '../../core/json.ts'
import type { Caller } from '../../core/principal.ts'
import { runToolName, searchingToolNames, searchToolName } from '../../core/tool-names.ts'
import { granted } from '../../policy/grant-index.ts'
import type { CatalogueTool } from '../../tools/catalogue.ts'
import { latestLegacyVersion } from '../../tools/codec/versions.ts'
import { gatewayAt } from '../../tools/endpoint/host-guard.ts'
import type { McpContext } from '../../tools/operations.ts'
import { ownDefinitions } from '../../tools/progressive/own-tools.ts'
import type { Dialect } from '../../wire/dialect.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ListedTool, NamedServer, ServedServer, ServedTool } from '../../wire/served-tools.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import { requireGateway } from '../resolving-tool.ts'
import type { Services } from '../services.ts'

/** For whom tools are run. */
export interface ServingCall {
  readonly services: Services
  readonly snapshot: Snapshot
  readonly caller: Caller
  readonly origin: CallOrigin
}

/** A server that is this gateway. */
export interface OwnServer extends NamedServer {
  readonly gateway: string
}

/** The servers of a request that are gateways here. Throws `request.invalid` naming the field. */
export function ownServers(dialect: Dialect, body: JsonObject, { settings }: Snapshot): readonly OwnServer[] {
  const own = (dialect.served?.servers(body) ?? []).flatMap((server) => {
    const gateway = gatewayAt(server.url, settings.listen)
    return gateway === undefined ? [] : [{ ...server, gateway }]
  })
  const twice = own.find(({ label }, at) => own.findIndex((one) => one.label === label) !== at)
  if (twice !== undefined)
    throw new TurnwardError('request.invalid', { subject: `${twice.path}.server_label`, why: 'another server of the request has it' })
  return own
}

/** What the server shows this caller, as far as the request wants it. Throws `grant.gateway`, `request.*`. */
export async function offeredBy(call: ServingCall, server: OwnServer): Promise<ServedServer> {
  const { services, snapshot, caller } = call
  const context = contextFor(call, server.gateway)
  await requireSameCaller(call, server)
  requireGateway(context)
  const { tools, missing } = await services.fleet.for(snapshot, caller).catalogue(server.gateway)
  const offered = tools.filter(
    (tool) => granted(snapshot.policy.grants, caller, 'tools', tool.name) !== undefined && server.wants(listed(tool)),
  )
  return {
    label: server.label,
    tools: [...ownTools(snapshot, server, offered), ...shownTools(snapshot, server, offered)].map((tool) => ({
      label: server.label,
      ...tool,
    })),
    missing: missing.size === 0 ? undefined : [...missing].map(([name, why]) => `${name}: ${why}`).join('; '),
  }
}

type Shown = Omit<ServedTool, 'label'>

/** Whether the tools of the server are searched and not listed. A request that chooses among them knows what it wants. */
function isSearched(snapshot: Snapshot, { gateway, wants }: OwnServer): boolean {
  const wantsOwn = searchingToolNames.every((name) => wants({ names: [name], isReadOnly: name === searchToolName }))
  return wantsOwn && snapshot.gateways.get(gateway)?.listing === 'search'
}

/** Whoever wants to be asked before any of the tools is asked before whatever is run through the gateway. */
function ownTools(snapshot: Snapshot, server: OwnServer, offered: readonly CatalogueTool[]): readonly Shown[] {
  if (!isSearched(snapshot, server)) return []
  const anyAsks = (): boolean => offered.some((tool) => server.asksFirst(listed(tool)))
  return ownDefinitions([...new Set(offered.map((tool) => tool.server))]).map((definition) => {
    const name = asText(definition.name)
    const asks = server.asksFirst({ names: [name], isReadOnly: name === searchToolName })
    return { definition, asksFirst: asks || (name === runToolName && anyAsks()) }
  })
}

function shownTools(snapshot: Snapshot, server: OwnServer, offered: readonly CatalogueTool[]): readonly Shown[] {
  const always = snapshot.gateways.get(server.gateway)?.always
  const shown = isSearched(snapshot, server) ? offered.filter(({ name }) => always?.matches(name) === true) : offered
  return shown.map((tool) => ({ definition: tool.definition, asksFirst: server.asksFirst(listed(tool)) }))
}

export function contextFor({ snapshot, caller, origin }: ServingCall, gateway: string): McpContext {
  return {
    caller,
    snapshot,
    gateway,
    client: { name: '', version: '' },
    protocolVersion: latestLegacyVersion,
    offers: {},
    headers: origin.headers,
  }
}

function listed({ name, originalName, definition: { name: shown, annotations } }: CatalogueTool): ListedTool {
  return { names: [name, originalName, asText(shown)], isReadOnly: isObject(annotations) && annotations.readOnlyHint === true }
}

// A key in the place of one that a vendor would have shown: another one than the caller's would be somebody else's right.
async function requireSameCaller({ services, snapshot, caller }: ServingCall, { path, authorization }: OwnServer): Promise<void> {
  const key = authorization()
  if (key === undefined) return
  const named = await Promise.resolve(
    services.authenticator.authenticate({ headers: { authorization: `Bearer ${key}` } }, snapshot, 'mcp'),
  ).catch(() => undefined)
  if (named?.principal.id === caller.principal.id && named.consumer === caller.consumer) return
  throw new TurnwardError('request.invalid', {
    subject: `${path}.authorization`,
    why: 'it is not the key of whoever makes the request',
    fix: 'Leave it out: the tools are run for whoever makes the request.',
  })
}
