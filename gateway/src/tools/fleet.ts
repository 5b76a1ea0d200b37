/**
 * All MCP servers of the snapshots that requests run on: started in the background, replaced when their configuration
 * changes, ended when no request needs them any more. Implements the `Fleet` that turns call; decides nothing.
 */
import { noPeers } from '../cluster/peers.ts'
import type { McpServer, Snapshot } from '../config/snapshot.ts'
import type { CancelSignal } from '../core/cancellation.ts'
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import type { Caller } from '../core/principal.ts'
import type { CallerFleet, CatalogueTool, Fleet, GatewayCatalogue } from './catalogue.ts'
import type { ResponseLimits } from './connectors/exchange.ts'
import { unavailable } from './connectors/failure.ts'
import { HopAuthorization } from './connectors/hop-authorization.ts'
import { CallQueue } from './fleet/call-queue.ts'
import type { ServerHeaders } from '../identity/server-auth/auth-kind.ts'
import { isAsked, isPersonal } from '../identity/server-auth/server-credentials.ts'
import type { FleetOptions } from './fleet/fleet-options.ts'
import { childOwner, connectionKey, sharedScope } from './fleet/credential-scope.ts'
import { buildCatalogue, type ServerView } from './fleet/gateway-catalogue.ts'
import { HeldElsewhere } from './fleet/held-elsewhere.ts'
import { KnownTools } from './fleet/known-tools.ts'
import { OwnChildren, principalIdleMs } from './fleet/own-children.ts'
import { RetiredServers } from './fleet/retired-servers.ts'
import { ServerSlot } from './fleet/server-slot.ts'
import { shownState } from './fleet/slot-state.ts'
import { startedWith } from './fleet/started-with.ts'
import { warm } from './fleet/warming.ts'
import { LargeMessages } from './large/large-messages.ts'
import { noReads } from './reads.ts'

const startsAtOnce = 4
/** How often is looked whether a child was not used for too long. */
const lookForIdleMs = 1000

interface CachedCatalogue {
  readonly slots: readonly ServerSlot[]
  readonly catalogue: GatewayCatalogue
}

const noLonger = 'it is no longer configured like this'
const holdsNothing = (): void => {}
const isReady = (slot: ServerSlot): boolean => slot.touch()

/** Starts every server in the background and returns at once. */
export function createFleet(options: FleetOptions): Fleet {
  return new RunningFleet(options)
}

class RunningFleet implements Fleet {
  readonly #options: FleetOptions
  readonly #starts = new CallQueue(startsAtOnce, Infinity, () => new TurnwardError('gateway.internal'))
  /** By `connectionKey`: two revisions of a server, or two sets of credentials, can be in use side by side. */
  readonly #slots = new Map<string, ServerSlot>()
  readonly #children: OwnChildren
  readonly #retired = new RetiredServers(
    (slot) => this.#end(slot),
    (slot) => slot.running > 0 || this.#children.isRunning(slot),
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
    this.#children = new OwnChildren({ clock, logger, starts: this.#starts, authorization: ({ server }) => this.#authorization(server) })
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
      call: async (tool, args, options) => {
        const allowed = this.#allowed(snapshot, caller, tool.server, options.signal)
        if (allowed === undefined) return this.#slotFor(snapshot, caller, tool.server).call(tool, args, options)
        return (await startedWith(await allowed, () => this.#slotFor(snapshot, caller, tool.server))).call(tool, args, options)
      },
      ask: async (server, method, params, options) => {
        const allowed = this.#allowed(snapshot, caller, server, options.signal)
        if (allowed === undefined) return this.#slotFor(snapshot, caller, server).ask(method, params, options)
        return (await startedWith(await allowed, () => this.#slotFor(snapshot, caller, server))).ask(method, params, options)
      },
      watchResource: (server, uri, changed) => this.#watch(snapshot, caller, server)?.watchResource(uri, changed) ?? holdsNothing,
      abandon: (server, state, owner) => this.#ownSlot(snapshot, caller, server)?.abandon(state, owner),
      credentialOf: (name) => {
        const server = snapshot.servers.get(name)
        return server === undefined ? 'none' : this.#options.credentials.credentialOf(server, caller)
      },
    }
  }

  /**
   * Rejects with what a person has to do before the server answers him, in the words of whoever knows: a connection would only
   * say that it failed. Undefined where nobody has to do anything.
   */
  #allowed(
    snapshot: Snapshot,
    caller: Caller | undefined,
    name: string,
    signal: CancelSignal,
  ): Promise<ServerHeaders | undefined> | undefined {
    const server = snapshot.servers.get(name)
    if (server === undefined || caller === undefined || !isPersonal(server)) return undefined
    return this.#options.credentials.headersFor({ snapshot, server, caller, signal })
  }

  async #catalogue(snapshot: Snapshot, caller: Caller | undefined, gateway: string): Promise<GatewayCatalogue> {
    const declared = snapshot.gateways.get(gateway)
    if (declared === undefined) throw new TurnwardError('grant.gateway', { subject: gateway })
    const slots = this.#catalogues.get(snapshot)?.get(gateway)?.slots ?? this.#slotsOf(snapshot, declared.servers)
    if (!slots.every(isReady)) {
      const { clock, coldBudgetMs } = this.#options
      await warm(slots, clock, coldBudgetMs)
      await warm(this.#lenders(slots, snapshot, caller), clock, coldBudgetMs)
    }
    // What was built before may have been dropped while this waited.
    const cached = this.#catalogues.get(snapshot) ?? new Map<string, CachedCatalogue>()
    const built = cached.get(gateway)
    if (built !== undefined) return built.catalogue
    const views = declared.servers.map((name) => this.#view(snapshot, name))
    const catalogue = buildCatalogue(declared, views, snapshot.servers)
    cached.set(gateway, { slots: this.#slotsOf(snapshot, declared.servers), catalogue })
    this.#catalogues.set(snapshot, cached)
    return catalogue
  }

  known(snapshot: Snapshot): readonly CatalogueTool[] {
    return this.#known.of(snapshot)
  }

  #slotFor(snapshot: Snapshot, caller: Caller | undefined, server: string): ServerSlot {
    if (this.#closed) throw new TurnwardError('gateway.draining')
    const slot = this.#slotOf(snapshot, server)
    if (slot === undefined) throw unavailable(server, noLonger)
    const owner = this.#ownerOf(slot.server, caller)
    return owner === undefined ? slot : (this.#children.take(slot, owner, caller) ?? slot)
  }

  /** Whose connections a caller's requests run on, where they are not those that all share. */
  #ownerOf(server: McpServer, caller: Caller | undefined): string | undefined {
    return childOwner(server, caller) ?? this.#options.credentials.scopeOf(server, caller)
  }

  /** Connections of this caller to servers that tell only people what they have, and of which nothing is known. */
  #lenders(slots: readonly ServerSlot[], snapshot: Snapshot, caller: Caller | undefined): ServerSlot[] {
    return slots.flatMap((slot) => {
      if (slot.state !== 'lent' || slot.isAtHand || this.#known.ofServer(snapshot, slot.server.name).length > 0) return []
      const owner = this.#ownerOf(slot.server, caller)
      return owner === undefined ? [] : (this.#children.take(slot, owner, caller) ?? [])
    })
  }

  /** Where the caller's requests run, if there is such a place already. */
  #ownSlot(snapshot: Snapshot, caller: Caller | undefined, server: string): ServerSlot | undefined {
    const slot = this.#slotOf(snapshot, server)
    const owner = slot === undefined ? undefined : this.#ownerOf(slot.server, caller)
    return slot === undefined || owner === undefined ? slot : this.#children.of(slot, owner)
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
    return this.#slotsOf(this.#current, [...this.#current.servers.keys()]).map((slot) => ({
      server: slot.server.name,
      state: shownState(slot),
      detail: slot.detail,
      tools: slot.listing.tools.length,
      held: slot.listing.held.length,
      resources: slot.reads.resources.length + slot.reads.templates.length,
      prompts: slot.reads.prompts.length,
      isBounded: slot.isBounded,
      since: slot.life.since,
      restarts: slot.life.restarts,
      version: slot.life.version,
    }))
  }

  async restart(name: string): Promise<string | undefined> {
    const slots = [...this.#slots.values()].filter((slot) => slot.server.name === name && !this.#retired.has(slot))
    if (slots.length === 0) return 'it is not configured here'
    await Promise.all(slots.map((slot) => this.#children.end(slot)))
    return (await Promise.all(slots.map((slot) => slot.restart()))).find((why) => why !== undefined)
  }

  endOf(person: string): void {
    this.#children.endOf(person)
  }

  recheckSecrets(): Promise<void> {
    return this.#children.recheck(this.#options.credentials, this.#current)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stopWatching()
    clearInterval(this.#idleTimer)
    this.#listeners.clear()
    await Promise.all([...[...this.#slots.values()].map((slot) => slot.close()), this.#children.close(), ...this.#ending])
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
    const key = connectionKey(server, sharedScope)
    if (this.#slots.has(key)) return
    const isForListing = isPersonal(server)
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
      authorization: this.#authorization(server),
      isForListing,
      onChange: () => this.#changed(),
      // What names mean is said by the server as it is configured now.
      onListed: (read, isCut) => (this.#retired.has(slot) ? read : this.#known.record(server, read, isCut)),
    })
    this.#slots.set(key, slot)
    this.#children.open(slot, base)
    slot.start().catch(() => {})
  }

  /** How the requests of one hop are made acceptable to its server; undefined where what they show is fixed. */
  #authorization(server: McpServer): HopAuthorization | undefined {
    const { credentials, snapshot } = this.#options
    return isAsked(server) || isPersonal(server) ? new HopAuthorization({ credentials, server, snapshot }) : undefined
  }

  /** Stops children that nobody used for as long as their configuration says. */
  #rest(): void {
    const now = this.#options.clock.monotonic()
    this.#children.sweep()
    for (const slot of this.#slots.values()) {
      const { config } = slot.server
      if (config.transport !== 'stdio') continue
      const idleMs = config.idle_ms ?? (config.per === 'principal' ? principalIdleMs : Infinity)
      if (now - slot.usedAt >= idleMs) slot.sleep()
    }
  }

  #end(slot: ServerSlot): void {
    for (const [key, open] of this.#slots) if (open === slot) this.#slots.delete(key)
    const ended = Promise.all([slot.close(), this.#children.remove(slot)]).then(
      () => {},
      () => {},
    )
    this.#ending.add(ended)
    ended.then(() => this.#ending.delete(ended)).catch(() => {})
    this.#changed()
  }

  /** The connection that shows what there is. */
  #slotOf(snapshot: Snapshot, name: string): ServerSlot | undefined {
    const server = snapshot.servers.get(name)
    return server === undefined ? undefined : this.#slots.get(connectionKey(server, sharedScope))
  }

  #slotsOf(snapshot: Snapshot, servers: readonly string[]): ServerSlot[] {
    return servers.flatMap((name) => this.#slotOf(snapshot, name) ?? [])
  }

  #view(snapshot: Snapshot, name: string): ServerView {
    const slot = this.#slotOf(snapshot, name)
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
    const tools = this.#known.ofServer(snapshot, name)
    return {
      name,
      // What it once listed to one of the people it answers is offered on: whoever calls has a connection of his own.
      missing: slot?.state === 'lent' && tools.length > 0 ? undefined : (slot?.detail ?? noLonger),
      tools,
      held: [],
      leftOut: new Map(),
      reads: noReads,
    }
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
