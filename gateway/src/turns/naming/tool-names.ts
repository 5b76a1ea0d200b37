/**
 * What a tool name in a model call means. Agents prefix and wrap the names they were given (`mcp__label__server__tool`,
 * `label_server__tool`), so a name is looked up by what it ends in as well, in the configuration and in what its servers
 * last listed, never in which servers happen to run. Where a name could mean several things, all of them count.
 */
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

export class ToolNames {
  readonly #policy: Pick<Policy, 'contractOf'>
  /** `server__` of every configured server. */
  readonly #prefixes: readonly string[]
  readonly #exposed: ReadonlyMap<string, CatalogueTool>
  readonly #original = new Map<string, CatalogueTool[]>()
  readonly #remembered = new BoundedMap<string, readonly ToolSubject[]>({ most: mostRemembered })

  /** `servers`: names of the configured servers. `known`: what they last listed, whether or not they run. */
  constructor(policy: Pick<Policy, 'contractOf'>, servers: Iterable<string>, known: readonly CatalogueTool[]) {
    this.#policy = policy
    this.#prefixes = [...servers].map((server) => `${server}__`)
    this.#exposed = new Map(known.map((tool) => [tool.name, tool]))
    for (const tool of known) this.#original.set(tool.originalName, [...(this.#original.get(tool.originalName) ?? []), tool])
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
    const listed = ends.flatMap((end) => this.#exposed.get(end) ?? []).map(subjectOf)
    if (listed.length > 0) return unique(listed)
    const cut = this.#shortened(name)
    if (cut.length > 0) return unique(cut)
    const prefixed = ends.flatMap((end) => this.#own(end) ?? [])
    if (prefixed.length > 0) return unique(prefixed)
    // Described by its own name, it is the client's: an administrator has said so.
    if (this.#isDescribed(name)) return [client]
    const alike = [name, ...ends].flatMap((end) => this.#original.get(end) ?? []).map(subjectOf)
    if (alike.length === 0) return [client]
    return this.#policy.contractOf(name) === undefined ? unique(alike) : unique([...alike, client])
  }

  /** The tool of ours with this very name; a name with the prefix of a configured server is that server's, listed or not. */
  #own(name: string): ToolSubject | undefined {
    const tool = this.#exposed.get(name)
    if (tool !== undefined) return subjectOf(tool)
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

/** What stands after each separator of a name, longest first. */
function endsOf(name: string): string[] {
  const ends: string[] = []
  for (let at = 0; at < name.length - 1; at += 1) if (separators.test(name.charAt(at))) ends.push(name.slice(at + 1))
  return ends
}

function unique(subjects: readonly ToolSubject[]): readonly ToolSubject[] {
  return [...new Map(subjects.map((subject) => [subject.name, subject])).values()]
}
