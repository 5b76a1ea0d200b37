/** What is known of the tools in the records of a log: of those of servers, what their server listed last, if that is what was decided on. */
import { isObject } from '../../../core/json.ts'
import { parseJson } from '../../../core/parse-json.ts'
import { gatewayServer, serverOfName } from '../../../core/tool-names.ts'
import { serverOfGranted } from '../../../policy/grants.ts'
import type { ReplayedRecord, ReplayedTool } from '../../../policy/replay/sides.ts'
import { clientRun } from '../../../policy/types.ts'
import type { StoredListing } from '../../../store/listings.ts'
import type { CatalogueTool } from '../../../tools/catalogue.ts'
import { readTools } from '../../../tools/tool-definitions.ts'

/** By exposed name, what servers listed last. */
export function toolsOfListings(listings: readonly StoredListing[]): ReadonlyMap<string, CatalogueTool> {
  const listed = new Map<string, CatalogueTool>()
  for (const { server, tools } of listings) {
    const definitions = parseJson(tools)
    if (!Array.isArray(definitions)) continue
    for (const tool of readTools(server, definitions.filter(isObject)).tools) listed.set(tool.name, tool)
  }
  return listed
}

/** `servers`: those of the configuration. */
export function toolsOfRecords(
  listings: readonly StoredListing[],
  servers: { has(name: string): boolean },
): (record: ReplayedRecord) => ReplayedTool | undefined {
  const listed = toolsOfListings(listings)
  return ({ subject: name, toolDigest }) => {
    // What narrowed a session is told in words where it is no tool.
    if (/^(?:resource|prompt):/.test(name))
      return { tool: { name, server: serverOfGranted(name) ?? clientRun, hints: { readOnlyHint: true } }, isListed: true }
    if (/\s/.test(name)) return undefined
    const server = serverOfName(name)
    if (server === gatewayServer) return { tool: { name, server, answeredHere: true }, isListed: true }
    if (server === undefined || !servers.has(server)) return { tool: { name, server: clientRun }, isListed: true }
    const known = listed.get(name)
    if (known === undefined || known.digest !== toolDigest) return { tool: { name, server }, isListed: false }
    return { tool: { name, server, hints: known.hints, reading: known.reading }, isListed: true }
  }
}
