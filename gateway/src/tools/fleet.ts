/**
 * All MCP servers of the snapshots that requests run on: started in the background, replaced when their configuration
 * changes, ended when no request needs them any more. Implements the `Fleet` that turns call; decides nothing.
 */
import type { McpServer, Snapshot } from '../config/snapshot.ts'
import type { Clock } from '../core/clock.ts'
import { TurnwardError } from '../core/error.ts'
import type { Logger } from '../core/logger.ts'
import type { Caller } from '../core/principal.ts'
import type { CallerFleet, CatalogueTool, Fleet, GatewayCatalogue } from './catalogue.ts'
import { unavailable } from './connectors/failure.ts'
import type { ClusterChildren } from './fleet/cluster-child.ts'
import { CallQueue } from './fleet/call-queue.ts'
import { catalogueKey, connectionKey, credentialId, credentialScope } from './fleet/credential-scope.ts'
import { buildCatalogue, type ServerView } from './fleet/gateway-catalogue.ts'
import { KnownTools, type ListingStore } from './fleet/known-tools.ts'
import type { Pins } from './fleet/pinned-tools.ts'
import { RetiredServers } from './fleet/retired-servers.ts'
import { ServerSlot } from './fleet/server-slot.ts'
import { noReads } from './reads.ts'
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
  /** Runs what the cluster has once; absent where there is no cluster. */
  readonly cluster?: ClusterChildren | undefined
  /** Which definitions of tools may be used; absent: whatever a server lists. */
  readonly pins?: Pins
  /** Where the last listings of servers outlive the process, and what it holds. */
  readonly listings?: { readonly store: ListingStore; readonly stored: readonly { readonly server: string; readonly tools: string }[] }
}

const startsAtOnce = 4

interface CachedCatalogue {
  readonly slots: readonly ServerSlot[]
  readonly catalogue: GatewayCatalogue
}

const noLonger = 'it is no longer configured like this'
const holdsNothing = (): void => {}
const isReady = (slot: ServerSlot): boolean => slot.touch()

/** The first restart is immediate, so whoever waits for a start waits for that too. */
async function startedTwice(slot: ServerSlot): Promise<void> {
  await slot.start()
  if (slot.coldSince !== undefined) await slot.start()
}

/** Starts every server in the background and returns at once. */
export function createFleet(options: FleetOptions): Fleet {
  return new RunningFleet(options)
}

class RunningFleet implements Fleet {
  readonly #options: FleetOptions
  readonly #starts = new CallQueue(startsAtOnce, Infinity, () => new TurnwardError('gateway.internal'))
  /** By `connectionKey`: two revisions of a server, or two sets of credentials, can be in use side by side. */
  readonly #slots = new Map<string, ServerSlot>()
  readonly #retired = new RetiredServers((slot) => this.#end(slot))
  readonly #ending = new Set<Promise<void>>()
  readonly #known: KnownTools
  readonly #listeners = new Set<() => void>()
  readonly #stopWatching: () => void
  #current: Snapshot
  #catalogues = new WeakMap<Snapshot, Map<string, CachedCatalogue>>()
  #announcing = false
  #closed = false

  constructor(options: FleetOptions) {
    const { listings, clock, logger } = options
    this.#options = options
    this.#current = options.snapshot()
    this.#known = new KnownTools({ stored: listings?.stored ?? [], store: listings?.store, clock, logger })
    this.#stopWatching = options.onSwap(() => this.#reconcile())
    this.#reconcile()
  }

  for(snapshot: Snapshot, caller: Caller | undefined): CallerFleet {
    return {
      catalogue: (gateway) => this.#catalogue(snapshot, caller, gateway),
      call: async (tool, args, options) => this.#slotFor(snapshot, caller, tool.server).call(tool, args, options),
      ask: async (server, method, params, options) => this.#slotFor(snapshot, caller, server).ask(method, params, options),
      watchResource: (server, uri, changed) => this.#slotOf(snapshot, caller, server)?.watchResource(uri, changed) ?? holdsNothing,
      abandon: (server, state, owner) => this.#slotOf(snapshot, caller, server)?.abandon(state, owner),
      credentialOf: (server) => credentialId(snapshot, server, caller),
    }
  }

  async #catalogue(snapshot: Snapshot, caller: Caller | undefined, gateway: string): Promise<GatewayCatalogue> {
    const declared = snapshot.gateways.get(gateway)
    if (declared === undefined) throw new TurnwardError('grant.gateway', { subject: gateway })
    const key = catalogueKey(gateway, caller)
    const slots = this.#catalogues.get(snapshot)?.get(key)?.slots ?? this.#slotsOf(snapshot, caller, declared.servers)
    if (!slots.every(isReady)) await this.#warm(slots)
    // What was built before may have been dropped while this waited.
    const cached = this.#catalogues.get(snapshot) ?? new Map<string, CachedCatalogue>()
    const built = cached.get(key)
    if (built !== undefined) return built.catalogue
    const views = declared.servers.map((name) => this.#view(snapshot, caller, name))
    const catalogue = buildCatalogue(declared, views, snapshot.servers)
    cached.set(key, { slots: this.#slotsOf(snapshot, caller, declared.servers), catalogue })
    this.#catalogues.set(snapshot, cached)
    return catalogue
  }

  known(snapshot: Snapshot): readonly CatalogueTool[] {
    return this.#known.of(snapshot)
  }

  #slotFor(snapshot: Snapshot, caller: Caller | undefined, server: string): ServerSlot {
    if (this.#closed) throw new TurnwardError('gateway.draining')
    const slot = this.#slotOf(snapshot, caller, server)
    if (slot === undefined) throw unavailable(server, noLonger)
    return slot
  }

  hold(snapshot: Snapshot): () => void {
    return this.#retired.hold(snapshot)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  status(): ReturnType<Fleet['status']> {
    return this.#slotsOf(this.#current, undefined, [...this.#current.servers.keys()]).map((slot) => ({
      server: slot.server.name,
      state: slot.state,
      detail: slot.detail,
      tools: slot.listing.tools.length,
      isBounded: slot.isBounded,
    }))
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stopWatching()
    this.#listeners.clear()
    await Promise.all([...[...this.#slots.values()].map((slot) => slot.close()), ...this.#ending])
    await this.#known.close()
  }

  /** Makes the slots fit the current snapshot. A server whose digest is the same keeps its connection. */
  #reconcile(): void {
    if (this.#closed) return
    const previous = this.#current
    // Requests that run on it may ask only later what its names mean.
    this.#known.of(previous)
    this.#current = this.#options.snapshot()
    const { servers, settings } = this.#current
    this.#known.retain([...new Set([...previous.servers.keys(), ...servers.keys()])])
    for (const slot of this.#slots.values()) {
      if (servers.get(slot.server.name)?.digest === slot.server.digest) this.#retired.takeBack(slot)
      else this.#retired.add(slot)
    }
    const limits = { maxResponseBytes: settings.limits.max_response_bytes, maxEventBytes: settings.limits.max_event_bytes }
    for (const server of servers.values()) this.#open(server, limits)
    this.#changed()
  }

  /** Opens the shared connection to a server, unless it is there. */
  #open(server: McpServer, limits: { readonly maxResponseBytes: number; readonly maxEventBytes: number }): void {
    const key = connectionKey(server, credentialScope(server, undefined))
    if (this.#slots.has(key)) return
    const slot: ServerSlot = new ServerSlot({
      ...this.#options,
      server,
      limits,
      starts: this.#starts,
      onChange: () => this.#changed(),
      // What names mean is said by the server as it is configured now.
      onListed: (read, isCut) => (this.#retired.has(slot) ? read : this.#known.record(server, read, isCut)),
      onIdle: () => this.#retired.idle(slot),
    })
    this.#slots.set(key, slot)
    slot.start().catch(() => {})
  }

  #end(slot: ServerSlot): void {
    for (const [key, open] of this.#slots) if (open === slot) this.#slots.delete(key)
    const ended = slot.close().catch(() => {})
    this.#ending.add(ended)
    ended.then(() => this.#ending.delete(ended)).catch(() => {})
    this.#changed()
  }

  #slotOf(snapshot: Snapshot, caller: Caller | undefined, name: string): ServerSlot | undefined {
    const server = snapshot.servers.get(name)
    return server === undefined ? undefined : this.#slots.get(connectionKey(server, credentialScope(server, caller)))
  }

  #slotsOf(snapshot: Snapshot, caller: Caller | undefined, servers: readonly string[]): ServerSlot[] {
    return servers.flatMap((name) => this.#slotOf(snapshot, caller, name) ?? [])
  }

  #view(snapshot: Snapshot, caller: Caller | undefined, name: string): ServerView {
    const slot = this.#slotOf(snapshot, caller, name)
    if (slot?.state === 'ready')
      return {
        name,
        missing: undefined,
        tools: slot.listing.tools,
        held: slot.listing.held,
        leftOut: slot.listing.leftOut,
        reads: slot.reads,
      }
    return {
      name,
      missing: slot?.detail ?? noLonger,
      tools: this.#known.ofServer(snapshot, name),
      held: [],
      leftOut: new Map(),
      reads: noReads,
    }
  }

  /**
   * Waits for servers that are starting for the first time, until each has had its budget. A server that hangs costs
   * its neighbours that much once, not with every call.
   */
  async #warm(slots: readonly ServerSlot[]): Promise<void> {
    const budgetMs = this.#options.coldBudgetMs ?? 3000
    const now = this.#options.clock.monotonic()
    const left = (slot: ServerSlot): number => (slot.coldSince === undefined ? 0 : slot.coldSince + budgetMs - now)
    const starting = slots
      .map((slot) => ({ slot, done: startedTwice(slot) }))
      .filter(({ slot }) => slot.state === 'starting' && left(slot) > 0)
    if (starting.length === 0) return
    let timer: NodeJS.Timeout | undefined
    const longest = Math.max(...starting.map(({ slot }) => left(slot)))
    const budget = new Promise<void>((resolve) => (timer = setTimeout(resolve, longest)))
    await Promise.race([Promise.all(starting.map(({ done }) => done)), budget])
    clearTimeout(timer)
  }

  /** Changes that come together are told once. */
  #changed(): void {
    this.#catalogues = new WeakMap()
    if (this.#announcing) return
    this.#announcing = true
    queueMicrotask(() => {
      this.#announcing = false
      for (const listener of this.#listeners) {
        try {
          listener()
        } catch (error) {
          this.#options.logger.error(
            { code: error instanceof TurnwardError ? error.code : 'gateway.internal' },
            'a listener for tool changes failed',
          )
        }
      }
    })
  }
}
