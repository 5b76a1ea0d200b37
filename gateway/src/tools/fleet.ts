/**
 * All MCP servers of the current snapshot: started in the background, replaced when their configuration changes,
 * drained when it drops them. Implements the `Fleet` that turns call; decides nothing.
 */
import type { Snapshot } from '../config/snapshot.ts'
import type { Clock } from '../core/clock.ts'
import { TurnwardError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import type { Logger } from '../core/logger.ts'
import type { CallOptions, CatalogueTool, Fleet, GatewayCatalogue } from './catalogue.ts'
import { unavailable } from './connectors/failure.ts'
import { CallQueue } from './fleet/call-queue.ts'
import { buildCatalogue, type ServerView } from './fleet/gateway-catalogue.ts'
import { ServerSlot } from './fleet/server-slot.ts'
import { withoutCollisions } from './names.ts'
import type { Runners } from './runners/runners.ts'

export interface FleetOptions {
  readonly snapshot: () => Snapshot
  /** Registers for snapshot swaps; returns the way to stop. */
  readonly onSwap: (listener: () => void) => () => void
  readonly runners: Runners
  /** Folder for private homes of servers. */
  readonly dataDir: string
  readonly logger: Logger
  readonly clock: Clock
  /** How long `catalogue` waits for servers that are starting. */
  readonly coldBudgetMs?: number
}

const startsAtOnce = 4

interface CachedCatalogue {
  readonly revision: string
  readonly slots: readonly ServerSlot[]
  readonly catalogue: GatewayCatalogue
}

const isReady = (slot: ServerSlot): boolean => slot.touch()

/** Starts every server in the background and returns at once. */
export function createFleet(options: FleetOptions): Fleet {
  return new RunningFleet(options)
}

class RunningFleet implements Fleet {
  readonly #options: FleetOptions
  readonly #starts = new CallQueue(startsAtOnce, Infinity, () => new TurnwardError('gateway.internal'))
  readonly #slots = new Map<string, ServerSlot>()
  readonly #draining = new Set<Promise<void>>()
  readonly #listeners = new Set<() => void>()
  readonly #stopWatching: () => void
  #catalogues = new Map<string, CachedCatalogue>()
  #known: ReadonlyMap<string, CatalogueTool> | undefined
  /** Slot a tool came from: a call runs on the server it was decided for, even after a swap. */
  readonly #home = new WeakMap<CatalogueTool, ServerSlot>()
  #announcing = false
  #closed = false

  constructor(options: FleetOptions) {
    this.#options = options
    this.#stopWatching = options.onSwap(() => this.#reconcile())
    this.#reconcile()
  }

  async catalogue(gateway: string): Promise<GatewayCatalogue> {
    const snapshot = this.#options.snapshot()
    const declared = snapshot.gateways.get(gateway)
    if (declared === undefined) throw new TurnwardError('grant.gateway', { subject: gateway })
    const known = this.#catalogues.get(gateway)
    const slots = known?.revision === snapshot.revision ? known.slots : this.#slotsOf(declared.servers)
    if (!slots.every(isReady)) await this.#warm(slots)
    const cached = this.#catalogues.get(gateway)
    if (cached?.revision === snapshot.revision) return cached.catalogue
    const views = declared.servers.map((name) => this.#view(name))
    const catalogue = buildCatalogue(declared, views)
    this.#catalogues.set(gateway, { revision: snapshot.revision, slots: this.#slotsOf(declared.servers), catalogue })
    return catalogue
  }

  knows(tool: string): CatalogueTool | undefined {
    if (this.#known === undefined) {
      const all = [...this.#slots.values()].flatMap((slot) => slot.listing.tools.map((each) => this.#remember(slot, each)))
      this.#known = new Map(withoutCollisions(all).unique.map((each) => [each.name, each]))
    }
    return this.#known.get(tool)
  }

  async call(tool: CatalogueTool, args: JsonObject, options: CallOptions): Promise<JsonObject> {
    if (this.#closed) throw new TurnwardError('gateway.draining')
    const slot = this.#home.get(tool) ?? this.#slots.get(tool.server)
    if (slot === undefined) throw unavailable(tool.server, 'it is no longer configured')
    return slot.call(tool, args, options)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  credentialOf(server: string): string {
    const config = this.#options.snapshot().servers.get(server)?.config
    return config?.transport === 'http' && Object.keys(config.headers).length > 0 ? `server:${server}` : 'none'
  }

  status(): ReturnType<Fleet['status']> {
    return [...this.#slots.values()].map((slot) => ({ server: slot.server.name, state: slot.state, detail: slot.detail, tools: slot.listing.tools.length, isBounded: slot.isBounded }))
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stopWatching()
    this.#listeners.clear()
    await Promise.all([...[...this.#slots.values()].map((slot) => slot.close()), ...this.#draining])
  }

  /** Makes the slots fit the snapshot. A server whose digest is the same keeps its connection. */
  #reconcile(): void {
    if (this.#closed) return
    const { servers, settings } = this.#options.snapshot()
    for (const [name, slot] of this.#slots) {
      if (servers.get(name)?.digest === slot.server.digest) continue
      this.#slots.delete(name)
      const drained: Promise<void> = slot
        .drain()
        .catch((error: unknown) => this.#options.logger.warn({ server: name, error }, 'MCP server did not stop cleanly'))
        .finally(() => this.#draining.delete(drained))
      this.#draining.add(drained)
    }
    const limits = { maxResponseBytes: settings.limits.max_response_bytes, maxEventBytes: settings.limits.max_event_bytes }
    for (const [name, server] of servers) {
      if (this.#slots.has(name)) continue
      const slot = new ServerSlot({ ...this.#options, server, limits, starts: this.#starts, onChange: () => this.#changed() })
      this.#slots.set(name, slot)
      slot.begin()
    }
    this.#changed()
  }

  #slotsOf(servers: readonly string[]): ServerSlot[] {
    return servers.flatMap((name) => this.#slots.get(name) ?? [])
  }

  #view(name: string): ServerView {
    const slot = this.#slots.get(name)
    if (slot === undefined) return { name, missing: 'it is not configured', tools: [], leftOut: new Map() }
    const { tools, leftOut } = slot.listing
    return { name, missing: slot.state === 'ready' ? undefined : slot.detail, tools: tools.map((tool) => this.#remember(slot, tool)), leftOut }
  }

  #remember(slot: ServerSlot, tool: CatalogueTool): CatalogueTool {
    this.#home.set(tool, slot)
    return tool
  }

  /**
   * Waits for servers that are starting for the first time, until each has had its budget. A server that hangs costs
   * its neighbours that much once, not with every call.
   */
  async #warm(slots: readonly ServerSlot[]): Promise<void> {
    const budgetMs = this.#options.coldBudgetMs ?? 3000
    const now = this.#options.clock.monotonic()
    const left = (slot: ServerSlot): number => (slot.coldSince === undefined ? 0 : slot.coldSince + budgetMs - now)
    const starting = slots.map((slot) => ({ slot, done: slot.start() })).filter(({ slot }) => slot.state === 'starting' && left(slot) > 0)
    if (starting.length === 0) return
    let timer: NodeJS.Timeout | undefined
    const longest = Math.max(...starting.map(({ slot }) => left(slot)))
    const budget = new Promise<void>((resolve) => (timer = setTimeout(resolve, longest)))
    await Promise.race([Promise.all(starting.map(({ done }) => done)), budget])
    clearTimeout(timer)
  }

  /** Changes that come together are told once. */
  #changed(): void {
    this.#catalogues = new Map()
    this.#known = undefined
    if (this.#announcing) return
    this.#announcing = true
    queueMicrotask(() => {
      this.#announcing = false
      for (const listener of this.#listeners) {
        try {
          listener()
        } catch (error) {
          this.#options.logger.error({ code: error instanceof TurnwardError ? error.code : 'gateway.internal' }, 'a listener for tool changes failed')
        }
      }
    })
  }
}
