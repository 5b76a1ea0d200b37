/** What is known of the tools in the records of a log: of those of servers, what their server listed last, if that is what was decided on. */
import { isObject } from '../../../core/json.ts'
import { parseJson } from '../../../core/parse-json.ts'
import { serverOfGranted } from '../../../policy/grants.ts'
import type { ReplayedRecord, ReplayedTool } from '../../../policy/replay/sides.ts'
import { clientRun } from '../../../policy/types.ts'
import type { StoredListing } from '../../../store/listings.ts'
import type { CatalogueTool } from '../../../tools/catalogue.ts'
import { readTools } from '../../../tools/tool-definitions.ts'
import { subjectByName } from '../../../turns/deciding/tool-subject.ts'

/** What was read of the listing of each server, and the text it was read from. */
export type ReadListings = Map<string, { readonly text: string; readonly tools: readonly CatalogueTool[] }>

/** By exposed name, what servers listed last. `read`: what was read of it before is not read again. */
export function toolsOfListings(listings: readonly StoredListing[], read: ReadListings = new Map()): ReadonlyMap<string, CatalogueTool> {
  const names = new Set(listings.map(({ server }) => server))
  for (const server of read.keys()) if (!names.has(server)) read.delete(server)
  for (const { server, tools: text } of listings) {
    if (read.get(server)?.text === text) continue
    const definitions = parseJson(text)
    read.set(server, { text, tools: Array.isArray(definitions) ? readTools(server, definitions.filter(isObject)).tools : [] })
  }
  return new Map([...read.values()].flatMap(({ tools }) => tools.map((tool) => [tool.name, tool] as const)))
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
    const last = listed.get(name)
    const known = last?.digest === toolDigest ? last : undefined
    const tool = subjectByName(name, servers, known)
    return { tool, isListed: known !== undefined || tool.answeredHere === true || tool.server === clientRun }
  }
}
