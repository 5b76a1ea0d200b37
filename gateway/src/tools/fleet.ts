/**
 * All MCP servers of the snapshots that requests run on: started in the background, replaced when their configuration
 * changes, ended when no request needs them any more. Implements the `Fleet` that turns call; decides nothing.
 */
import { noPeers, type Peers } from '../cluster/peers.ts'
import type { McpServer, Snapshot } from '../config/snapshot.ts'
import type { Clock } from '../core/clock.ts'
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import type { Logger } from '../core/logger.ts'
import type { Caller } from '../core/principal.ts'
import type { CallerFleet, CatalogueTool, Fleet, GatewayCatalogue } from './catalogue.ts'
import type { ResponseLimits } from './connectors/exchange.ts'
import { unavailable } from './connectors/failure.ts'
import type { ClusterChildren } from './fleet/cluster-child.ts'
import { CallQueue } from './fleet/call-queue.ts'
import { catalogueKey, childOwner, connectionKey, credentialId, credentialScope } from './fleet/credential-scope.ts'
import { buildCatalogue, type ServerView } from './fleet/gateway-catalogue.ts'
import { HeldElsewhere } from './fleet/held-elsewhere.ts'
import { KnownTools, type ListingStore } from './fleet/known-tools.ts'
import type { Pins } from './fleet/pinned-tools.ts'
import { PrincipalChildren } from './fleet/principal-children.ts'
import type { RememberedEras } from './fleet/remembered-eras.ts'
import { RetiredServers } from './fleet/retired-servers.ts'
import { ServerSlot } from './fleet/server-slot.ts'
import type { SlotOptions } from './fleet/slot-options.ts'
import { LargeMessages } from './large/large-messages.ts'
import { noReads } from './reads.ts'
import type { Runners } from './runners/runners.ts'
import type { ServerLogs } from './runners/server-logs.ts'
import type { ReadTools } from './tool-definitions.ts'

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
  /** The other processes that serve the same clients. */
  readonly peers?: Peers
  /** Runs what the cluster has once; absent where there is no cluster. */
  readonly cluster?: ClusterChildren | undefined
  /** What eras of servers were found out before. */
  readonly eras?: RememberedEras
  /** Which definitions of tools may be used; absent: whatever a server lists. */
  readonly pins?: Pins
  /** Where what started servers write to stderr is kept; absent: nowhere. */
  readonly logs?: Pick<ServerLogs, 'write'>
  /** Where the last listings of servers outlive the process, and what it holds. */
  readonly listings?: { readonly store: ListingStore; readonly stored: readonly { readonly server: string; readonly tools: string }[] }
}

const startsAtOnce = 4
/** How often is looked whether a child was not used for too long. */
const lookForIdleMs = 1000
/** How long the child of a principal may be idle unless the configuration says. */
const principalIdleMs = 600_000

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

function hasSameTools({ tools }: ReadTools, { tools: others }: ReadTools): boolean {
  return tools.length === others.length && tools.every(({ digest }, index) => digest === others[index]?.digest)
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
  /** Those of servers that have one child for each principal, by the slot whose child shows what there is and works for nobody. */
  readonly #children = new Map<ServerSlot, PrincipalChildren<ServerSlot>>()
  readonly #retired = new RetiredServers(
    (slot) => this.#end(slot),
    (slot) => slot.running > 0 || this.#children.get(slot)?.isRunning === true,
  )
  readonly #ending = new Set<Promise<void>>()
  readonly #elsewhere: HeldElsewhere
  readonly #known: KnownTools
  readonly #largeMessages = new LargeMessages()
  readonly #listeners = new Set<() => void>()
  readonly #stopWatching: () => void
  readonly #idleTimer: NodeJS.Timeout
  #current: Snapshot
  #catalogues = new WeakMap<Snapshot, Map<string, CachedCatalogue>>()
  #announcing = false
  #closed = false

  constructor(options: FleetOptions) {
    const { listings, clock, logger } = options
    this.#options = options
    this.#current = options.snapshot()
    this.#elsewhere = new HeldElsewhere(options.peers ?? noPeers)
    this.#known = new KnownTools({ stored: listings?.stored ?? [], store: listings?.store, clock, logger })
    this.#stopWatching = options.onSwap(() => this.#reconcile())
    this.#idleTimer = setInterval(() => this.#rest(), lookForIdleMs).unref()
    this.#reconcile()
  }

  for(snapshot: Snapshot, caller: Caller | undefined): CallerFleet {
    return {
      catalogue: (gateway) => this.#catalogue(snapshot, caller, gateway),
      call: async (tool, args, options) => this.#slotFor(snapshot, caller, tool.server).call(tool, args, options),
      ask: async (server, method, params, options) => this.#slotFor(snapshot, caller, server).ask(method, params, options),
      watchResource: (server, uri, changed) => this.#watch(snapshot, caller, server)?.watchResource(uri, changed) ?? holdsNothing,
      abandon: (server, state, owner) => this.#ownSlot(snapshot, caller, server)?.abandon(state, owner),
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
    const owner = childOwner(slot.server, caller)
    return owner === undefined ? slot : (this.#children.get(slot)?.take(owner) ?? slot)
  }

  /** Where the caller's requests run, if there is such a place already. */
  #ownSlot(snapshot: Snapshot, caller: Caller | undefined, server: string): ServerSlot | undefined {
    const slot = this.#slotOf(snapshot, caller, server)
    const owner = slot === undefined ? undefined : childOwner(slot.server, caller)
    return slot === undefined || owner === undefined ? slot : this.#children.get(slot)?.of(owner)
  }

  /** The slot that tells the caller of changes; undefined where nobody can. */
  #watch(snapshot: Snapshot, caller: Caller | undefined, server: string): ServerSlot | undefined {
    try {
      return this.#slotFor(snapshot, caller, server)
    } catch (error) {
      const { code, why } = asTurnwardError(error)
      this.#options.logger.warn({ server, code, why }, 'changes of a resource are not told')
      return undefined
    }
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
      state: slot.state === 'starting' && slot.isAtHand ? 'asleep' : slot.state,
      detail: slot.detail,
      tools: slot.listing.tools.length,
      isBounded: slot.isBounded,
    }))
  }

  async restart(name: string): Promise<string | undefined> {
    const slots = [...this.#slots.values()].filter((slot) => slot.server.name === name && !this.#retired.has(slot))
    if (slots.length === 0) return 'it is not configured here'
    await Promise.all(slots.flatMap((slot) => this.#children.get(slot)?.close() ?? []))
    return (await Promise.all(slots.map((slot) => slot.restart()))).find((why) => why !== undefined)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stopWatching()
    clearInterval(this.#idleTimer)
    this.#listeners.clear()
    const open = [...this.#slots.values(), ...this.#children.values()]
    await Promise.all([...open.map((slot) => slot.close()), ...this.#ending])
    await Promise.all([this.#known.close(), this.#largeMessages.close()])
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
    const limits = {
      maxResponseBytes: settings.limits.max_response_bytes,
      maxEventBytes: settings.limits.max_event_bytes,
      largeMessages: this.#largeMessages,
    }
    for (const server of servers.values()) this.#open(server, limits)
    this.#changed()
  }

  /** Opens the shared connection to a server, unless it is there. */
  #open(server: McpServer, limits: ResponseLimits): void {
    const key = connectionKey(server, credentialScope(server, undefined))
    if (this.#slots.has(key)) return
    const base = {
      ...this.#options,
      elsewhere: this.#elsewhere,
      server,
      limits,
      starts: this.#starts,
      onIdle: () => this.#retired.idle(slot),
    }
    const slot: ServerSlot = new ServerSlot({
      ...base,
      onChange: () => this.#changed(),
      // What names mean is said by the server as it is configured now.
      onListed: (read, isCut) => (this.#retired.has(slot) ? read : this.#known.record(server, read, isCut)),
    })
    this.#slots.set(key, slot)
    const { config } = server
    if (config.transport === 'stdio' && config.per === 'principal')
      this.#children.set(slot, this.#childrenOf(slot, base, config.max_children, config.idle_ms ?? principalIdleMs))
    slot.start().catch(() => {})
  }

  /** Children whose owners have them for themselves. What there is to call is said by the shared one: nothing of theirs is shown to anybody. */
  #childrenOf(
    shared: ServerSlot,
    base: Omit<SlotOptions, 'onChange' | 'onListed'>,
    most: number,
    idleMs: number,
  ): PrincipalChildren<ServerSlot> {
    const { clock } = this.#options
    const make = (starts: SlotOptions['starts']): ServerSlot =>
      new ServerSlot({
        ...base,
        pins: undefined,
        isOnDemand: true,
        knownEra: () => shared.era,
        // One server's turn first, and then the gateway's.
        starts: { run: (signal, job) => starts.run(signal, () => this.#starts.run(signal, job)) },
        onChange: () => {},
        onListed: (read) => (hasSameTools(shared.listing, read) ? shared.listing : read),
      })
    return new PrincipalChildren({ server: shared.server.name, most, idleMs, clock, make })
  }

  /** Stops children that nobody used for as long as their configuration says. */
  #rest(): void {
    const now = this.#options.clock.monotonic()
    for (const children of this.#children.values()) children.sweep()
    for (const slot of this.#slots.values()) {
      const { config } = slot.server
      if (config.transport !== 'stdio') continue
      const idleMs = config.idle_ms ?? (config.per === 'principal' ? principalIdleMs : Infinity)
      if (now - slot.usedAt >= idleMs) slot.sleep()
    }
  }

  #end(slot: ServerSlot): void {
    for (const [key, open] of this.#slots) if (open === slot) this.#slots.delete(key)
    const children = this.#children.get(slot)
    this.#children.delete(slot)
    const ended = Promise.all([slot.close(), children?.close()]).then(
      () => {},
      () => {},
    )
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
    if (slot?.isAtHand === true)
      return {
        name,
        missing: undefined,
        tools: slot.listing.tools,
        held: slot.listing.held,
        leftOut: slot.listing.leftOut,
        isLacking: slot.detail !== undefined,
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
      .filter((slot) => !slot.isAtHand)
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
