/**
 * The routing of one gateway, built from what its servers listed. Pure; a tool that is not offered is named with why.
 * What a name means does not depend on which servers run: a server that is down keeps its names.
 */
import type { McpGateway } from '../../config/snapshot.ts'
import type { CatalogueTool, DownTool, GatewayCatalogue } from '../catalogue.ts'
import { buildReads, type ReadsView } from './gateway-reads.ts'
import { serverOfName, withoutCollisions } from '../names.ts'

/** What the fleet knows of one server of the gateway. */
export interface ServerView extends ReadsView {
  /** Why it cannot be called now; undefined when it can. */
  readonly missing: string | undefined
  /** Its tools as last listed. Offered unless the server is missing. */
  readonly tools: readonly CatalogueTool[]
  /** Tools whose definitions wait for a review. Their names are taken; nothing else is done with them. */
  readonly held: readonly CatalogueTool[]
  readonly leftOut: ReadonlyMap<string, string>
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
  const held = new Set(servers.flatMap((server) => server.held))
  const meant = servers.flatMap((server) => [...server.tools, ...server.held]).filter(({ name }) => gateway.tools.matches(name))
  const { unique, collisions } = withoutCollisions(meant)
  for (const name of collisions) leftOut.set(name, 'tools of several servers have this name')
  const sorted = [...unique].sort((a, b) => (a.name < b.name ? -1 : 1))
  const byName = new Map(sorted.map((tool) => [tool.name, tool]))
  const byOriginal = originalNames(sorted, configured)
  const meaning = (name: string): CatalogueTool | undefined => byName.get(name) ?? byOriginal.get(name)
  return {
    reads: buildReads(gateway, servers),
    tools: sorted.filter((tool) => !missing.has(tool.server) && !held.has(tool)),
    missing,
    leftOut,
    resolve(name) {
      const tool = meaning(name)
      return tool === undefined || missing.has(tool.server) || held.has(tool) ? undefined : tool
    },
    held(name) {
      const tool = meaning(name)
      return tool !== undefined && held.has(tool) ? tool.name : undefined
    },
    down(name) {
      const tool = meaning(name)
      const server = tool?.server ?? serverOfName(name)
      const why = server === undefined ? undefined : missing.get(server)
      if (server === undefined || why === undefined) return undefined
      const down: DownTool = { tool: tool?.name ?? name, server, why }
      return gateway.tools.matches(down.tool) ? down : undefined
    },
  }
}

/** An original name that two tools share, or that begins like the exposed names of another server, means nobody. */
function originalNames(
  tools: readonly CatalogueTool[],
  configured: { has(server: string): boolean },
): ReadonlyMap<string, CatalogueTool | undefined> {
  const names = new Map<string, CatalogueTool | undefined>()
  for (const tool of tools) {
    const owner = serverOfName(tool.originalName)
    if (owner !== undefined && owner !== tool.server && configured.has(owner)) continue
    names.set(tool.originalName, names.has(tool.originalName) ? undefined : tool)
  }
  return names
}
