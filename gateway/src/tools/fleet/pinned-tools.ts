/**
 * Which of the tools a server lists may be used. The first listing of a server is taken as it is, with what it adds within
 * `first_contact_ms`. From then on a definition that is new or
 * differs from the one that was approved last waits until somebody has looked at it (`pin: review`), or is used and told of
 * (`pin: warn`). What is held is neither shown nor called.
 */
import type { McpServer } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import { withHeld, type ReadTools, type ServerTool } from '../tool-definitions.ts'

interface Listed {
  readonly tool: string
  readonly digest: string
  readonly definition: string
}

/** Where pins are kept, for all replicas. */
export interface PinStore {
  ofServer(server: string): Promise<ReadonlyMap<string, { readonly digest: string; readonly by: string }> | undefined>
  firstListed(server: string): Promise<number | undefined>
  pinFirst(server: string, listed: readonly Listed[], at: number, by: string): Promise<boolean>
  hold(server: string, listed: readonly Listed[], at: number): Promise<void>
  heldDigests(server: string): Promise<ReadonlySet<string>>
  lastApproval(server: string): Promise<number>
  approve(approval: Listed & { readonly server: string; readonly approved: number; readonly by: string }): Promise<void>
}

/** What happened to a definition: `first`, with the first listing of its server. */
export type PinEvent = 'first' | 'new' | 'changed' | 'approved'

export interface Pins {
  readonly store: PinStore
  readonly count: (event: PinEvent) => void
}

export interface PinnedToolsOptions {
  readonly server: McpServer
  /** Absent: nothing is pinned. */
  readonly pins?: Pins | undefined
  readonly clock: Clock
  readonly logger: Logger
  /** Something that was held may have been approved: the server is to be listed again. */
  readonly onApproved: () => void
}

const firstContact = 'first listing'

/** An approval counts within this time. Nobody looks while nothing is held. */
const lookAgainMs = 1000

export class PinnedTools {
  readonly #options: PinnedToolsOptions
  /** What was held last; undefined before the first listing of this process. */
  #held: ReadonlyMap<string, ServerTool> | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: PinnedToolsOptions) {
    this.#options = options
  }

  /** The listing with what of it may be used. Rejects with `store.failed` when nobody can say. */
  async review(read: ReadTools): Promise<ReadTools> {
    const { server, pins, clock } = this.#options
    if (pins === undefined || server.config.pin === 'off') return read
    const { store } = pins
    // Before the pins are read: what is approved meanwhile is found by looking again.
    const since = await store.lastApproval(server.name)
    let approved = await store.ofServer(server.name)
    if (approved === undefined && (await store.pinFirst(server.name, read.tools.map(listedOf), clock.now(), firstContact))) {
      this.#tell('first', read.tools)
      return read
    }
    // Another replica was first.
    approved ??= (await store.ofServer(server.name)) ?? new Map<string, never>()
    const isChange = (tool: ServerTool): boolean => approved?.has(tool.originalName) === true
    const differing = read.tools.filter((tool) => approved?.get(tool.originalName)?.digest !== tool.digest)
    if (server.config.pin === 'warn') {
      await this.#approve(differing, 'pin: warn')
      for (const tool of differing) this.#tell(isChange(tool) ? 'changed' : 'new', [tool])
      return read
    }
    const isFirst = differing.length > 0 && clock.now() - ((await store.firstListed(server.name)) ?? 0) < firstContactMs(server)
    const added = isFirst ? differing.filter((tool) => !isChange(tool)) : []
    await this.#approve(added, firstContact)
    this.#tell('first', added)
    const unknown = differing.filter((tool) => !added.includes(tool))
    await this.#hold(unknown, read, isChange)
    this.#lookAgain(since)
    return unknown.length === 0 ? read : withHeld(read, unknown)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  async #approve(tools: readonly ServerTool[], by: string): Promise<void> {
    const { server, pins, clock } = this.#options
    for (const tool of tools) await pins?.store.approve({ server: server.name, ...listedOf(tool), approved: clock.now(), by })
  }

  async #hold(unknown: readonly ServerTool[], read: ReadTools, isChange: (tool: ServerTool) => boolean): Promise<void> {
    const { server, pins, clock } = this.#options
    const before = this.#held
    const held = new Map(unknown.map((tool) => [tool.digest, tool]))
    if (before !== undefined && before.size === held.size && unknown.every(({ digest }) => before.has(digest))) return
    await pins?.store.hold(server.name, unknown.map(listedOf), clock.now())
    this.#held = held
    const since = unknown.filter(({ digest }) => before?.has(digest) !== true)
    this.#tell(
      'new',
      since.filter((tool) => !isChange(tool)),
    )
    this.#tell('changed', since.filter(isChange))
    this.#tell(
      'approved',
      read.tools.filter(({ digest }) => before?.has(digest) === true && !held.has(digest)),
    )
  }

  #tell(event: PinEvent, tools: readonly ServerTool[]): void {
    if (tools.length === 0) return
    const { server, pins, logger } = this.#options
    for (const _ of tools) pins?.count(event)
    if (event === 'first') {
      logger.info(
        { server: server.name, tools: tools.length },
        'the first listing of an MCP server is taken as it is; its tools are pinned',
      )
      return
    }
    const what = { new: 'a new MCP tool', changed: 'a changed MCP tool', approved: 'an MCP tool that was held' }[event]
    const then = event === 'approved' ? 'has been approved' : server.config.pin === 'warn' ? 'is used' : 'is held: `turnward tools review`'
    for (const { name: tool, digest } of tools)
      logger[event === 'approved' ? 'info' : 'warn']({ server: server.name, tool, digest }, `${what} ${then}`)
  }

  /** While something is held, looks whether anything has been approved since. */
  #lookAgain(since: number): void {
    clearTimeout(this.#timer)
    if (this.#closed || this.#held === undefined || this.#held.size === 0) return
    this.#timer = setTimeout(() => {
      this.#look(since)
        .catch(() => {})
        .finally(() => this.#lookAgain(since))
    }, lookAgainMs)
    this.#timer.unref()
  }

  async #look(since: number): Promise<void> {
    const { server, pins, clock, onApproved } = this.#options
    if (pins === undefined) return
    const held = [...(this.#held?.values() ?? [])]
    const stored = await pins.store.heldDigests(server.name)
    const last = await pins.store.lastApproval(server.name)
    if (this.#closed) return
    if (last !== since) onApproved()
    // Another replica, whose server lists something else, has forgotten what waits here.
    else if (!held.every(({ digest }) => stored.has(digest))) await pins.store.hold(server.name, held.map(listedOf), clock.now())
  }
}

function listedOf({ originalName, digest, listed }: ServerTool): Listed {
  return { tool: originalName, digest, definition: JSON.stringify(listed) }
}

/** A document says everything at once; only servers that run may add to their first listing. */
function firstContactMs({ config }: McpServer): number {
  return config.transport === 'openapi' ? 0 : config.first_contact_ms
}
