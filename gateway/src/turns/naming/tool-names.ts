/**
 * What a tool name in a model call means. Agents prefix and wrap the names they were given (`mcp__label__server__tool`,
 * `label_server__tool`), so a name is looked up by what it ends in as well, in the configuration and in what its servers
 * last listed, never in which servers happen to run. Where a name could mean several things, all of them count.
 */
import type { McpGateway } from '../../config/snapshot.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import type { Policy, ToolSubject } from '../../policy/types.ts'
import type { CatalogueTool } from '../../tools/catalogue.ts'
import { subjectOf } from '../deciding/tool-subject.ts'

/** Names are chosen by clients; what they mean is remembered for so many. */
const mostRemembered = 4096
const longestName = 512
const separators = /[_\-./:]/
/** How clients mark what they cut out of the middle of a long name, and how much must be left after it. */
const shortened = /___|\.\.\.|…/
const shortestEnd = 12

/** What names are read by. */
export interface NamedThings {
  readonly policy: Pick<Policy, 'contractOf' | 'ownTools'>
  readonly servers: { keys(): Iterable<string> }
  readonly gateways: ReadonlyMap<string, Pick<McpGateway, 'servers' | 'names' | 'aliases' | 'listing'>>
}

export class ToolNames {
  readonly #policy: Pick<Policy, 'contractOf' | 'ownTools'>
  /** `server__` of every configured server. */
  readonly #prefixes: readonly string[]
  readonly #exposed: ReadonlyMap<string, CatalogueTool>
  /** Tools of the gateway itself, where a gateway shows them. */
  readonly #ofGateway: ReadonlyMap<string, ToolSubject>
  readonly #original = new Map<string, ToolSubject[]>()
  /** Names without the prefix of a server, under which some gateway shows tools. */
  readonly #bare = new Map<string, ToolSubject[]>()
  readonly #remembered = new BoundedMap<string, readonly ToolSubject[]>({ most: mostRemembered })

  /** `known`: what the configured servers last listed, whether or not they run. */
  constructor({ policy, servers, gateways }: NamedThings, known: readonly CatalogueTool[]) {
    this.#policy = policy
    this.#prefixes = [...servers.keys()].map((server) => `${server}__`)
    this.#exposed = new Map(known.map((tool) => [tool.name, tool]))
    this.#ofGateway = new Map((policy.ownTools ?? []).map((tool) => [tool.name, tool]))
    for (const tool of known) add(this.#original, tool.originalName, subjectOf(tool))
    for (const { servers: shown, names, aliases } of gateways.values()) {
      for (const [alias, name] of aliases) add(this.#bare, alias, this.#own(name))
      if (names === 'original')
        for (const tool of known) if (shown.includes(tool.server)) add(this.#bare, tool.originalName, subjectOf(tool))
    }
  }

  /**
   * Every tool the name may mean, at least one. A call is decided as each of them and refused when any is; a result adds
   * what each would add. `inner`: the name as the client's own rule of naming reads it, when it has one.
   */
  meaning(name: string, inner?: string): readonly ToolSubject[] {
    const key = inner === undefined ? name : `${name}\n${inner}`
    const known = this.#remembered.get(key)
    if (known !== undefined) return known
    const found = this.#find(name, inner)
    this.#remembered.set(key, found)
    return found
  }

  /** The tool with this exposed name, when it has been listed. */
  tool(name: string): CatalogueTool | undefined {
    return this.#exposed.get(name)
  }

  #find(name: string, inner: string | undefined): readonly ToolSubject[] {
    const own = this.#own(name) ?? (inner === undefined ? undefined : this.#own(inner))
    if (own !== undefined) return [own]
    const client: ToolSubject = { name, server: 'client' }
    // A longer name than any tool has ends like nothing we know, and cutting it up would be work for nothing.
    const ends = endsOf(name.slice(-longestName))
    // What clients put before a name that a gateway shows as it is may look like a server of ours.
    const bare = [name, ...ends].flatMap((end) => this.#bare.get(end) ?? [])
    const listed = ends.flatMap((end) => this.#exposed.get(end) ?? []).map(subjectOf)
    if (listed.length > 0) return unique([...listed, ...bare])
    const cut = this.#shortened(name)
    if (cut.length > 0) return unique([...cut, ...bare])
    const prefixed = ends.flatMap((end) => this.#own(end) ?? [])
    if (prefixed.length > 0) return unique([...prefixed, ...bare])
    // Described by its own name, it is the client's: an administrator has said so.
    if (this.#isDescribed(name)) return unique([client, ...bare])
    const alike = [...bare, ...[name, ...ends].flatMap((end) => this.#original.get(end) ?? [])]
    if (alike.length === 0) return [client]
    return this.#policy.contractOf(name) === undefined ? unique(alike) : unique([...alike, client])
  }

  /** The tool of ours with this very name; a name with the prefix of a configured server is that server's, listed or not. */
  #own(name: string): ToolSubject | undefined {
    const tool = this.#exposed.get(name)
    if (tool !== undefined) return subjectOf(tool)
    const ofGateway = this.#ofGateway.get(name)
    if (ofGateway !== undefined) return ofGateway
    const prefix = this.#prefixes.find((one) => name.startsWith(one) && name.length > one.length)
    return prefix === undefined ? undefined : { name, server: prefix.slice(0, -2) }
  }

  #shortened(name: string): readonly ToolSubject[] {
    const end = name.split(shortened).at(-1) ?? ''
    if (end.length === name.length || end.length < shortestEnd) return []
    return [...this.#exposed.values()].filter((tool) => tool.name.endsWith(end)).map(subjectOf)
  }

  #isDescribed(name: string): boolean {
    return this.#policy.contractOf(name)?.pattern === name
  }
}

function add(names: Map<string, ToolSubject[]>, name: string, tool: ToolSubject | undefined): void {
  if (tool !== undefined) names.set(name, [...(names.get(name) ?? []), tool])
}

/** What stands after each separator of a name, longest first. */
function endsOf(name: string): string[] {
  const ends: string[] = []
  for (let at = 0; at < name.length - 1; at += 1) if (separators.test(name.charAt(at))) ends.push(name.slice(at + 1))
  return ends
}

function unique(subjects: readonly ToolSubject[]): readonly ToolSubject[] {
  return [...new Map(subjects.map((subject) => [subject.name, subject])).values()]
}
