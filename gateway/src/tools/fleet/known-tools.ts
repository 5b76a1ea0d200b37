/**
 * What the names of tools mean: the last listing of every configured server, whether it runs now or not. Kept across
 * restarts. Says nothing about what can be called, and calls nothing.
 */
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import { asTurnwardError } from '../../core/error.ts'
import { parseExactJson } from '../../core/exact-json.ts'
import type { Logger } from '../../core/logger.ts'
import type { CatalogueTool } from '../catalogue.ts'
import { noTools, readTools, type ReadTools, type ServerTool } from '../tool-definitions.ts'

/** Where listings outlive the process. */
export interface ListingStore {
  save(listing: { readonly server: string; readonly tools: string; readonly seen: number }): Promise<void>
  retain(configured: readonly string[], bounds: { readonly now: number; readonly since: number; readonly most: number }): Promise<void>
}

export interface KnownToolsOptions {
  /** What an earlier process stored: server and JSON array of its definitions. */
  readonly stored: readonly { readonly server: string; readonly tools: string }[]
  readonly store: ListingStore | undefined
  readonly clock: Clock
  readonly logger: Logger
}

interface Listing {
  /** Digest of the configuration it was listed under; undefined for one of an earlier process. */
  readonly digest: string | undefined
  readonly read: ReadTools
}

interface KnownOfSnapshot {
  readonly version: number
  readonly listings: ReadonlyMap<string, Listing>
  readonly tools: readonly CatalogueTool[]
}

/** A longer listing (in UTF-16 units of JSON) is known while the process lives, and not after. */
const longestStored = 4 * 1024 * 1024
/** A server that was taken out of the configuration may come back. */
const forgetAfterMs = 30 * 24 * 3_600_000
const mostForgotten = 100

export class KnownTools {
  readonly #options: KnownToolsOptions
  /** JSON of an earlier process, until somebody asks for the server. */
  readonly #stored: Map<string, string>
  readonly #latest = new Map<string, Listing>()
  readonly #ofSnapshots = new WeakMap<Snapshot, KnownOfSnapshot>()
  readonly #writes = new Set<Promise<void>>()
  #version = 0

  constructor(options: KnownToolsOptions) {
    this.#options = options
    this.#stored = new Map(options.stored.map(({ server, tools }) => [server, tools]))
  }

  /** Every tool of every server this snapshot configures, as last listed. The same array while nothing changed. */
  of(snapshot: Snapshot): readonly CatalogueTool[] {
    return this.#ofSnapshot(snapshot).tools
  }

  /** The tools of one server of this snapshot, as last listed. */
  ofServer(snapshot: Snapshot, server: string): readonly CatalogueTool[] {
    return this.#ofSnapshot(snapshot).listings.get(server)?.read.tools ?? []
  }

  /**
   * Takes a new listing. Returns it, with the tools of the earlier one where those are the same. One that was cut off says
   * nothing of the names it does not have: those keep their meaning. So do names whose new definitions wait for a review.
   */
  record(server: McpServer, read: ReadTools, isCut = false): ReadTools {
    const before = this.#latestOf(server.name)
    const isSame = before !== undefined && sameTools(before.read, read)
    const listed = isSame ? { ...before.read, leftOut: read.leftOut, held: read.held } : read
    const known = before === undefined || isSame ? listed : withEarlier(read, stillMeant(read, before.read, isCut))
    const unchanged = isSame || (before !== undefined && sameTools(before.read, known))
    if (unchanged && before.digest === server.digest) return listed
    // The tools stay the same objects, so that whoever remembers something of them need not forget it.
    this.#latest.set(server.name, { digest: server.digest, read: unchanged ? before.read : known })
    this.#version += 1
    if (!unchanged) this.#save(server.name, known)
    return listed
  }

  /** Keeps what is known of servers that were configured until now, and forgets others after a while. */
  retain(configured: readonly string[]): void {
    const now = this.#options.clock.now()
    this.#write(this.#options.store?.retain(configured, { now, since: now - forgetAfterMs, most: mostForgotten }))
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    await Promise.all(this.#writes)
  }

  #ofSnapshot(snapshot: Snapshot): KnownOfSnapshot {
    const before = this.#ofSnapshots.get(snapshot)
    if (before?.version === this.#version) return before
    const listings = new Map<string, Listing>()
    for (const server of snapshot.servers.values()) {
      const latest = this.#latestOf(server.name)
      const own = before?.listings.get(server.name)
      // A request that began before the configuration of a server changed keeps the meaning it began with.
      const listing = own !== undefined && own.digest === server.digest && latest?.digest !== server.digest ? own : latest
      if (listing !== undefined) listings.set(server.name, listing)
    }
    const same =
      before !== undefined &&
      listings.size === before.listings.size &&
      [...listings].every(([name, { read }]) => before.listings.get(name)?.read === read)
    const tools = same ? before.tools : [...listings.values()].flatMap(({ read }) => read.tools)
    const known = { version: this.#version, listings, tools }
    this.#ofSnapshots.set(snapshot, known)
    return known
  }

  #latestOf(server: string): Listing | undefined {
    const text = this.#stored.get(server)
    if (text !== undefined) {
      this.#stored.delete(server)
      this.#latest.set(server, { digest: undefined, read: this.#readStored(server, text) })
    }
    return this.#latest.get(server)
  }

  /** What was written by an earlier process, or a damaged row: read as if the server had said it. */
  #readStored(server: string, text: string): ReadTools {
    try {
      const definitions = parseExactJson(text)
      if (Array.isArray(definitions)) return readTools(server, definitions)
    } catch {
      // Told below.
    }
    this.#options.logger.error({ server }, 'the stored tools of an MCP server cannot be read; they are unknown until it lists them')
    return noTools
  }

  #save(server: string, { tools }: ReadTools): void {
    const text = JSON.stringify(tools.map(({ listed }) => listed))
    if (text.length > longestStored) {
      this.#options.logger.warn(
        { server, length: text.length, longest: longestStored },
        'the tools of an MCP server are too many to be known after a restart',
      )
      return
    }
    this.#write(this.#options.store?.save({ server, tools: text, seen: this.#options.clock.now() }))
  }

  #write(writing: Promise<void> | undefined): void {
    if (writing === undefined) return
    const written = writing.catch((error: unknown) => {
      this.#options.logger.error(
        { code: asTurnwardError(error).code },
        'the tools of MCP servers could not be stored; after a restart they are unknown until listed',
      )
    })
    this.#writes.add(written)
    written.then(() => this.#writes.delete(written)).catch(() => {})
  }
}

function sameTools(before: ReadTools, after: ReadTools): boolean {
  return (
    before.tools.length === after.tools.length &&
    before.tools.every(({ name, digest }, index) => after.tools[index]?.name === name && after.tools[index].digest === digest)
  )
}

/** Tools of the earlier listing that this one does not take the meaning from. */
function stillMeant(read: ReadTools, earlier: ReadTools, isCut: boolean): readonly ServerTool[] {
  if (isCut) return earlier.tools
  const held = new Set(read.held.map(({ name }) => name))
  return earlier.tools.filter(({ name }) => held.has(name))
}

/** Tools by name, so that two listings of the same tools are equal in whatever order they were put together. */
function withEarlier(read: ReadTools, earlier: readonly ServerTool[]): ReadTools {
  const listed = new Set(read.tools.map(({ name }) => name))
  const more = earlier.filter(({ name }) => !listed.has(name))
  if (more.length === 0) return read
  return { ...read, tools: [...read.tools, ...more].sort((one, other) => (one.name < other.name ? -1 : 1)) }
}
