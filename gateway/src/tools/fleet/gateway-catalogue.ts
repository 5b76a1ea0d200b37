/**
 * The routing of one gateway, built from what its servers listed. Pure; a tool that is not offered is named with why.
 * What a name means does not depend on which servers run: a server that is down keeps its names.
 */
import type { McpGateway } from '../../config/snapshot.ts'
import type { CatalogueTool, DownTool, GatewayCatalogue, GatewayReads } from '../catalogue.ts'
import { buildReads, type ReadsView } from './gateway-reads.ts'
import { asText, isObject, type JsonObject } from '../../core/json.ts'
import { serverOfName } from '../../core/tool-names.ts'
import { exposedName, withoutCollisions } from '../../core/exposed-names.ts'
import { shownNames } from './shown-names.ts'
import { ownUri } from './own-uris.ts'

/** What the fleet knows of one server of the gateway. */
export interface ServerView extends ReadsView {
  /** Why it cannot be called now; undefined when it can. */
  readonly missing: string | undefined
  /** Its tools as last listed. Offered unless the server is missing. */
  readonly tools: readonly CatalogueTool[]
  /** Tools whose definitions wait for a review. Their names are taken; nothing else is done with them. */
  readonly held: readonly CatalogueTool[]
  readonly leftOut: ReadonlyMap<string, string>
  /** Whether it has more tools than these. */
  readonly isLacking?: boolean
}

/** Tools in order of exposed name, so that the order never depends on which server answered first. `configured`: every server of the snapshot, also those of other gateways. */
export function buildCatalogue(
  gateway: McpGateway,
  servers: readonly ServerView[],
  configured: { has(server: string): boolean },
): GatewayCatalogue {
  const leftOut = new Map<string, string>()
  const missing = new Map<string, string>()
  for (const server of servers) {
    if (server.missing !== undefined) missing.set(server.name, server.missing)
    for (const [name, why] of server.leftOut) if (gateway.tools.matches(name)) leftOut.set(name, why)
  }
  // A name that no other server could have is the only server's, listed or not.
  const onlyServer = gateway.names === 'original' && servers.length === 1 ? servers[0]?.name : undefined
  const held = new Set(servers.flatMap((server) => server.held))
  const meant = servers.flatMap((server) => [...server.tools, ...server.held]).filter(({ name }) => gateway.tools.matches(name))
  const { unique, collisions } = withoutCollisions(meant)
  for (const name of collisions) leftOut.set(name, 'tools of several servers have this name')
  const names = shownNames(unique, ({ name }) => name, { ...gateway, configured })
  const reads = buildReads(gateway, servers, configured)
  const offered = unique
    .filter((tool) => !missing.has(tool.server) && !held.has(tool))
    .map((tool) => shownAs(names.of(tool), tool, reads))
    .sort((a, b) => (asText(a.definition.name) < asText(b.definition.name) ? -1 : 1))
  const byName = new Map(offered.map((tool) => [tool.name, tool]))
  return {
    reads,
    tools: offered,
    missing,
    lacking: new Set(servers.filter(({ isLacking }) => isLacking === true).map(({ name }) => name)),
    leftOut,
    resolve(name) {
      const tool = names.meant(name)
      return tool === undefined ? undefined : byName.get(tool.name)
    },
    held(name) {
      const tool = names.meant(name)
      return tool !== undefined && held.has(tool) ? tool.name : undefined
    },
    down(name) {
      const tool = names.meant(name)
      const server = tool?.server ?? serverOfName(name) ?? onlyServer
      const why = server === undefined ? undefined : missing.get(server)
      if (server === undefined || why === undefined) return undefined
      const down: DownTool = { tool: tool?.name ?? (server === serverOfName(name) ? name : exposedName(server, name)), server, why }
      return gateway.tools.matches(down.tool) ? down : undefined
    },
  }
}

/** The tool under the name clients see; the page it comes with (MCP Apps) under the URI they read it by. */
function shownAs(name: string, tool: CatalogueTool, reads: GatewayReads): CatalogueTool {
  const meta = tool.definition._meta
  const shown = isObject(meta) ? pagesShown(tool.server, meta, reads) : meta
  if (shown === meta) return name === tool.definition.name ? tool : { ...tool, definition: { ...tool.definition, name } }
  return { ...tool, definition: { ...tool.definition, name, ...(shown === undefined ? {} : { _meta: shown }) } }
}

/** Hosts read the page of a tool by `_meta.ui.resourceUri`, or by the flat key of earlier ones. */
function pagesShown(server: string, meta: JsonObject, reads: GatewayReads): JsonObject {
  const shown = (uri: unknown): string | undefined =>
    typeof uri !== 'string' || reads.resource(uri)?.server === server ? undefined : ownUri(server, uri)
  const flat = shown(meta[flatPageKey])
  const nested = isObject(meta.ui) ? shown(meta.ui.resourceUri) : undefined
  if (flat === undefined && nested === undefined) return meta
  return {
    ...meta,
    ...(flat === undefined ? {} : { [flatPageKey]: flat }),
    ...(nested === undefined || !isObject(meta.ui) ? {} : { ui: { ...meta.ui, resourceUri: nested } }),
  }
}

const flatPageKey = 'ui/resourceUri'
