/** The tools of a configuration as far as they are known: what servers list, where they were asked, and what contracts and packs name. Pure. */
import { agentPackNames, serverPackNames, type PackName } from '@turnward/contract/config/packs'
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import { exposedName } from '../../core/exposed-names.ts'
import type { KnownTool } from '../../policy/misplaced-trust/misplaced-trust.ts'
import { packs } from '../../policy/packs/packs.ts'
import { packForServer, packsForPackage } from '../../policy/packs/recognising-servers.ts'
import type { ServerListing } from './listed-tools.ts'
import { serverOf } from './suggestion.ts'

/** Once each, by name. Without listings: what the configuration alone names. */
export function knownTools(snapshot: Snapshot, listings: readonly ServerListing[] = []): readonly KnownTool[] {
  const listed = new Map(listings.flatMap(({ server, tools }) => (tools === undefined ? [] : [[server, tools] as const])))
  const found = new Map<string, KnownTool>()
  const add = (tool: KnownTool) => {
    if (!found.has(tool.name)) found.set(tool.name, tool)
  }
  const own = (snapshot.policy.contracts ?? []).filter(({ packs: from }) => from === undefined).map(({ pattern }) => pattern)
  for (const [name, server] of snapshot.servers) {
    const prefix = `${name}__`
    const tools = listed.get(name)
    const named = own
      .filter((pattern) => pattern.startsWith(prefix) && !pattern.includes('*'))
      .map((pattern) => pattern.slice(prefix.length))
    const known = packsOf(snapshot, server, tools?.map(({ originalName }) => originalName) ?? named)
    for (const { name: exposed, originalName, definition, hints } of tools ?? [])
      add({ name: exposed, originalName, server: name, definition, hints, packs: known })
    // A server that was asked has no other tools.
    if (tools !== undefined) continue
    const ofPacks = known.flatMap((pack) => Object.keys(packs[pack].contracts))
    for (const originalName of [...named, ...ofPacks])
      add({ name: exposedName(name, originalName), originalName, server: name, packs: known })
  }
  for (const pattern of own) {
    const server = serverOf(snapshot, pattern)
    const isPattern = pattern.includes('*')
    if (isPattern ? [...found.values()].some(({ name }) => snapshot.policy.contractOf(name)?.pattern === pattern) : server !== undefined)
      continue
    // Which tools a pattern is for is not known, so it is judged by what it says itself; an agent's tool by its name.
    add({
      name: pattern,
      originalName: pattern.replaceAll('*', ' '),
      server,
      packs: isPattern || server !== undefined ? [] : agentPackNames,
    })
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The packs for a server: those an administrator named for it, else those of its package, else the one that knows these tools. */
function packsOf({ policy }: Snapshot, { name, config }: McpServer, tools: readonly string[]): readonly PackName[] {
  const bound = (policy.packs ?? []).filter(({ server }) => server === name).map(({ pack }) => pack)
  if (bound.length > 0) return bound
  const texts =
    config.transport === 'stdio'
      ? [...config.command, config.installed?.package ?? '', config.docker?.image ?? '']
      : 'url' in config
        ? [config.url]
        : []
  const packaged = packsForPackage(texts)
  const known = packaged.length > 0 ? packaged : [packForServer(tools) ?? []].flat()
  return known.filter((pack) => serverPackNames.some((one) => one === pack))
}
