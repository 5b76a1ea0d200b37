/** The routing of one gateway, built from what its servers listed. Pure; a tool that is not offered is named with why. */
import type { McpGateway } from '../../config/snapshot.ts'
import type { CatalogueTool, GatewayCatalogue } from '../catalogue.ts'
import { withoutCollisions } from '../names.ts'

/** What the fleet knows of one server of the gateway. */
export interface ServerView {
  readonly name: string
  /** Why it cannot be listed now; undefined when `tools` is its listing. */
  readonly missing: string | undefined
  readonly tools: readonly CatalogueTool[]
  readonly leftOut: ReadonlyMap<string, string>
}

/** Tools in order of exposed name, so that the order never depends on which server answered first. */
export function buildCatalogue(gateway: McpGateway, servers: readonly ServerView[]): GatewayCatalogue {
  const leftOut = new Map<string, string>()
  const missing = new Map<string, string>()
  for (const server of servers) {
    if (server.missing !== undefined) missing.set(server.name, server.missing)
    for (const [name, why] of server.leftOut) if (gateway.tools.matches(name)) leftOut.set(name, why)
  }
  const offered = servers.flatMap(({ tools }) => tools).filter(({ name }) => gateway.tools.matches(name))
  const { unique, collisions } = withoutCollisions(offered)
  for (const name of collisions) leftOut.set(name, 'tools of several servers have this name')
  const tools = [...unique].sort((a, b) => (a.name < b.name ? -1 : 1))
  const byName = new Map(tools.map((tool) => [tool.name, tool]))
  const byOriginal = new Map<string, CatalogueTool | undefined>()
  // An original name that two tools share, or that is another tool's exposed name, means nobody.
  for (const tool of tools) byOriginal.set(tool.originalName, byOriginal.has(tool.originalName) ? undefined : tool)
  return { tools, missing, leftOut, resolve: (name) => byName.get(name) ?? byOriginal.get(name) }
}
