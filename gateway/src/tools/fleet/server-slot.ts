/**
 * The life of one configured server: started once for all callers, listed, called with a deadline and a bounded
 * queue, restarted ever more slowly when it dies, drained when the configuration drops it. A child that nobody uses may
 * sleep: what it listed is shown on, and the next request starts it again.
 */
import type { McpServer } from '../../config/snapshot.ts'
import type { CancelSignal } from '../../core/cancellation.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { CallOptions, CatalogueTool } from '../catalogue.ts'
import { askServer } from '../connectors/calling-tool.ts'
import { waitFor } from '../connectors/cancelling.ts'
import type { Exchange } from '../connectors/exchange.ts'
import { listAll, listOthers, type Listed } from '../connectors/listing.ts'
import { noReads, readsOf, type ServerReads } from '../reads.ts'
import { mayNeedPerson, reasonOf, unavailable, waitsForPerson } from '../connectors/failure.ts'
import type { HopAuthorization } from '../connectors/hop-authorization.ts'
import { noTools, readTools, type ReadTools } from '../tool-definitions.ts'
import { resultBounds, type ResultBounds } from './result-bounds.ts'
import { ServerRequests } from './server-requests.ts'
import { WatchedResources } from './watched-resources.ts'
import { whatIsMissing } from './missing-tools.ts'
import { tellOdd } from './odd-listings.ts'
import { listingFingerprint } from './listing-fingerprint.ts'
import { JoinedRounds } from './joined-rounds.ts'
import { detailOf, SlotLife, type SlotState } from './slot-state.ts'
import { retryDelay } from './retry-delay.ts'
import { PinnedTools } from './pinned-tools.ts'
import { callListed } from './calling-listed.ts'
import { ServerConnection } from './connecting.ts'
import type { SlotOptions } from './slot-options.ts'

const startMs = 60_000
/** A server that lived this long did not crash in a loop. */
const healthyMs = 30_000
/** Listings of servers that may not tell us about changes are refreshed when someone asks after this time. */
const listingAgeMs = 300_000

export class ServerSlot {
  readonly server: McpServer
  readonly #options: SlotOptions
  readonly #connection: ServerConnection
  readonly #requests: ServerRequests
  readonly #bounds: ResultBounds
  readonly #closing = new AbortController()
  /** Ends the attempt to start it that runs. */
  #attempting = new AbortController()
  readonly #life: SlotLife
  #startedAt: number | undefined
  #read: ReadTools = noTools
  #reads: ServerReads = noReads
  readonly #watched = new WatchedResources()
  readonly #pinned: PinnedTools
  /** Why the server may have more tools than it could list. */
  #cut: string | undefined
  #listedAt = 0
  #failures = 0
  #retry: NodeJS.Timeout | undefined
  /** Before this time (monotonic) one that is started on demand is not tried again. */
  #retryAt = 0
  #usedAt: number
  readonly #relisting = new JoinedRounds(() => this.#relistOnce().catch((error: unknown) => this.#broke(error)))

  constructor(options: SlotOptions) {
    const { server } = options
    this.server = server
    this.#options = options
    this.#life = new SlotLife(options.clock)
    this.#bounds = resultBounds(server, options.limits.maxResponseBytes)
    this.#usedAt = options.clock.monotonic()
    this.#connection = new ServerConnection(options)
    this.#requests = new ServerRequests({
      ...options,
      exchange: (signal) => (this.#state.kind === 'ready' ? this.#state.exchange : this.#ready(signal)),
      era: () => (this.#state.kind === 'ready' ? this.#state.exchange.era : undefined),
      // A broken hop shows in the next listing too; a server that only failed this call keeps its tools.
      onBroken: () => this.#relist(),
      onIdle: () => {
        this.#usedAt = options.clock.monotonic()
        options.onIdle()
      },
    })
    this.#pinned = new PinnedTools({
      ...options,
      onApproved: () => (this.#state.kind === 'asleep' ? this.begin() : this.#relist()),
    })
  }

  get #state(): SlotState {
    return this.#life.state
  }

  set #state(next: SlotState) {
    this.#life.become(next)
  }

  get state(): SlotState['kind'] {
    return this.#state.kind
  }

  /** Since when it is as it is, and how often it was opened. */
  get life(): Pick<SlotLife, 'since' | 'restarts' | 'version'> {
    return this.#life
  }

  /** Calls that run now. */
  get running(): number {
    return this.#requests.running
  }

  /** Whether it works for somebody, or is to tell somebody of changes. */
  get isUsed(): boolean {
    return this.#requests.isWorking || this.#watched.areWanted
  }

  /** When (monotonic) somebody last used it, or it was started. */
  get usedAt(): number {
    return this.#usedAt
  }

  /** The era it spoke last; undefined before it was connected. */
  get era(): Exchange['era'] | undefined {
    return this.#life.era
  }

  /** Whether its tools can be listed and called now. One that sleeps is started by the call. */
  get isAtHand(): boolean {
    const { kind } = this.#state
    if (kind === 'lent') return this.#read.tools.length > 0
    return kind === 'ready' || kind === 'asleep' || (this.#state.kind === 'starting' && this.#state.isListed)
  }

  /** Why the server is not ready, or which of its tools are missing and why; undefined when all is well. */
  get detail(): string | undefined {
    return detailOf(this.#state, this.isAtHand, () => whatIsMissing(this.#read, this.#cut))
  }

  /** False while the server runs with limits that are not enforced. */
  get isBounded(): boolean {
    return this.#state.kind !== 'ready' || this.#connection.isBounded
  }

  /** Tools and left-out tools known now; empty while the server is down. */
  get listing(): ReadTools {
    return this.#read
  }

  /** What it has besides tools; nothing while the server is down. */
  get reads(): ServerReads {
    return this.#reads
  }

  /** Milliseconds (monotonic) at which the latest attempt began; undefined before the first and once the server has failed twice. */
  get coldSince(): number | undefined {
    return this.#failures <= 1 ? this.#startedAt : undefined
  }

  /** Somebody asks for the tools: an old listing is refreshed in the background. False when the server cannot be called now. */
  touch(): boolean {
    if (this.#state.kind === 'ready') this.#refresh()
    return this.isAtHand
  }

  /** Starts the server unless it runs or waits to be restarted. Resolves when the attempt is over; never rejects. */
  async start(): Promise<void> {
    if (this.#closing.signal.aborted) return
    if (this.#state.kind === 'starting') return this.#state.done
    if (this.#state.kind === 'lent') return
    if (this.#state.kind === 'ready') return this.#refresh()
    const now = this.#options.clock.monotonic()
    if (this.#failures > 1 && (this.#retry !== undefined || now < this.#retryAt)) return
    // The first restart is immediate, so a caller need not wait for its timer.
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#startedAt = now
    const isListed = this.#state.kind === 'asleep'
    const done = this.#options.starts.run(this.#closing.signal, () => this.#attempt()).catch(() => {})
    this.#state = { kind: 'starting', done, isListed }
    await done
  }

  /** Ends the child of a server that nobody uses. Nothing it has listed is forgotten. */
  sleep(): void {
    if (this.#state.kind !== 'ready' || this.isUsed) return
    const { exchange } = this.#state
    this.#state = { kind: 'asleep' }
    this.#failures = 0
    exchange.close().catch(() => {})
    this.#options.logger.info({ server: this.server.name }, 'MCP server sleeps: nobody has used it for a while')
  }

  /** Ends what runs, with the calls in it, and starts it anew, however often it has failed. Resolves with why it is not ready then; never rejects. */
  async restart(): Promise<string | undefined> {
    if (this.#state.kind === 'starting') {
      this.#attempting.abort()
      await this.#state.done
    }
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#failures = 0
    const state = this.#state
    // Nobody starts another one while this one ends: some can only be there once.
    const ended = state.kind === 'ready' ? state.exchange.close().catch(() => {}) : Promise.resolve()
    const done = ended.then(() => this.#options.starts.run(this.#closing.signal, () => this.#attempt())).catch(() => {})
    this.#startedAt = this.#options.clock.monotonic()
    this.#state = { kind: 'starting', done, isListed: state.kind === 'ready' || state.kind === 'asleep' }
    await done
    return this.state === 'ready' ? undefined : (this.detail ?? 'it is not ready')
  }

  /** Starts in the background. */
  begin(): void {
    this.start().catch((error: unknown) => this.#broke(error))
  }

  /** How what goes over its hop is made acceptable, where that is not fixed. */
  get authorization(): HopAuthorization | undefined {
    return this.#options.authorization
  }

  /** What one of the people’s connections has listed, where this one may list nothing. */
  async adopt(listed: Listed, reads: ServerReads): Promise<void> {
    const isStill = (): boolean => this.#state.kind === 'lent'
    // What each of them may see can differ: not every listing is a change.
    if (this.#read.tools.length > 0 && this.#options.clock.monotonic() - this.#listedAt <= listingAgeMs) return
    if (isStill() && (await this.#take(listed, reads, isStill))) this.#options.onChange()
  }

  #broke(error: unknown): void {
    this.#options.logger.error({ server: this.server.name, error }, 'the keeper of an MCP server failed')
  }

  /** One call. Throws `mcp.*` or `request.cancelled`. */
  call(tool: CatalogueTool, args: JsonObject, options: CallOptions): Promise<JsonObject> {
    this.#usedAt = this.#options.clock.monotonic()
    return this.#requests.run(options, (exchange, own) =>
      callListed(exchange, this.server.name, this.#read, tool, args, { ...own, maxBytes: this.#bounds(tool.originalName) }),
    )
  }

  /** One request that is no call. Throws `mcp.*` or `request.cancelled`. */
  ask(method: string, params: JsonObject, options: CallOptions): Promise<JsonObject> {
    this.#usedAt = this.#options.clock.monotonic()
    const maxBytes = this.#bounds()
    return this.#requests.run(options, (exchange, own) => askServer(exchange, this.server.name, method, params, { ...own, maxBytes }))
  }

  /** Tells of changes of a resource. Returns the way to stop. */
  watchResource(uri: string, changed: () => void): () => void {
    const stop = this.#watched.watch(uri, changed)
    if (stop === undefined) return () => {}
    // Only a server that runs can tell.
    if (this.#state.kind === 'asleep' || this.#state.kind === 'idle') this.begin()
    return stop
  }

  /** Cancels a request that waits for input. */
  abandon(state: string, owner: string): void {
    this.#requests.abandon(owner, state)
  }

  async #ready(signal: CancelSignal): Promise<Exchange> {
    if (this.#state.kind !== 'ready') await waitFor(this.start(), signal)
    if (this.#state.kind === 'ready') return this.#state.exchange
    throw unavailable(this.server.name, this.detail ?? 'it is not ready')
  }

  async #attempt(): Promise<void> {
    const attempting = new AbortController()
    this.#attempting = attempting
    const signal = AbortSignal.any([this.#closing.signal, attempting.signal, AbortSignal.timeout(startMs)])
    let exchange: Exchange | undefined
    try {
      exchange = await this.#connection.open(
        { onListChanged: () => this.#relist(), onResourceUpdated: (uri) => this.#watched.updated(uri) },
        signal,
      )
      const opened = exchange
      const [listed, reads] = await Promise.race([
        this.#list(opened, signal),
        opened.ended.then((why) => Promise.reject(unavailable(this.server.name, why))),
      ])
      if (this.#closing.signal.aborted) throw new TurnwardError('request.cancelled')
      await this.#take(listed, reads, () => true)
      if (this.#closing.signal.aborted) throw new TurnwardError('request.cancelled')
      this.#usedAt = this.#options.clock.monotonic()
      this.#state = { kind: 'ready', exchange: opened, since: this.#usedAt }
      this.#requests.opened()
      this.#watched.attach(opened)
      opened.ended.then((why) => this.#died(opened, why)).catch((error: unknown) => this.#broke(error))
      this.#options.logger.info({ server: this.server.name, era: opened.era, tools: this.#read.tools.length }, 'MCP server is ready')
      this.#options.onChange()
    } catch (error) {
      await exchange?.close().catch(() => {})
      if (this.#options.isForListing === true && mayNeedPerson(this.server, error)) return this.#lend()
      // Nothing is wrong with the server: it is asked as soon as the person has done what is wanted.
      if (waitsForPerson(error)) this.#failures = 0
      const isLate = signal.aborted && !this.#closing.signal.aborted
      this.#fail(attempting.signal.aborted ? 'it is restarted' : isLate ? `it did not start within ${startMs / 1000} s` : reasonOf(error))
    }
  }

  #died(exchange: Exchange, why: string): void {
    if (this.#state.kind !== 'ready' || this.#state.exchange !== exchange) return
    if (this.#options.clock.monotonic() - this.#state.since > healthyMs) this.#failures = 0
    exchange.close().catch(() => {})
    this.#fail(why)
  }

  /** What was adopted stays: it is as good as it was. */
  #lend(): void {
    if (this.#closing.signal.aborted) return
    this.#failures = 0
    this.#state = { kind: 'lent' }
    this.#options.logger.info({ server: this.server.name }, 'MCP server answers people only: it is listed when one of them uses it')
    this.#options.onChange()
  }

  #fail(why: string): void {
    if (this.#closing.signal.aborted) return
    this.#failures += 1
    const delay = retryDelay(this.#failures)
    this.#read = noTools
    this.#reads = noReads
    this.#state = {
      kind: 'failed',
      why: this.#failures === 1 ? why : `${why}; failed ${this.#failures} times, next try in ${Math.ceil(delay / 1000)} s`,
    }
    this.#options.logger.warn({ server: this.server.name, why, failures: this.#failures }, 'MCP server failed')
    if (this.#options.isOnDemand === true) this.#retryAt = this.#options.clock.monotonic() + delay
    else {
      this.#retry = setTimeout(() => {
        this.#retry = undefined
        this.begin()
      }, delay)
      this.#retry.unref()
    }
    this.#options.onChange()
  }

  #refresh(): void {
    if (this.server.config.transport !== 'http') return
    if (this.#options.clock.monotonic() - this.#listedAt > listingAgeMs || this.#connection.verdictExpired()) this.#relist()
  }

  /** Lists again; asks that arrive meanwhile are joined into one more round. */
  #relist(): void {
    this.#relisting.ask()
  }

  async #relistOnce(): Promise<void> {
    if (this.#state.kind !== 'ready') return
    const { exchange } = this.#state
    try {
      if (this.#connection.verdictExpired()) throw unavailable(this.server.name, 'its protocol era is asked for again')
      const [listed, reads] = await this.#list(exchange, AbortSignal.any([this.#closing.signal, AbortSignal.timeout(startMs)]))
      const isStill = (): boolean => this.#state.kind === 'ready' && this.#state.exchange === exchange
      if (await this.#take(listed, reads, isStill)) this.#options.onChange()
    } catch (error) {
      // A child that still runs may answer next time; an address that does not answer must be opened again.
      if (this.server.config.transport === 'http') this.#died(exchange, asTurnwardError(error).why ?? 'it could not be listed')
      else
        this.#options.logger.warn({ server: this.server.name, code: asTurnwardError(error).code }, 'MCP server could not be listed again')
    }
  }

  async #list(exchange: Exchange, signal: AbortSignal): Promise<readonly [Listed, ServerReads]> {
    const { name } = this.server
    const { limits } = this.#options
    const [tools, others] = await Promise.all([listAll(exchange, name, limits, signal), listOthers(exchange, name, limits, signal)])
    return [tools, readsOf(name, others, exchange.capabilities)]
  }

  /** True when what was listed, or what is missing of it, differs from before. Takes nothing that is not current any more once the pins are known. */
  async #take({ entries, cut }: Listed, reads: ServerReads, isCurrent: () => boolean): Promise<boolean> {
    this.#options.onRead?.({ entries, cut }, reads)
    const pinned = await this.#pinned.review(readTools(this.server.name, entries))
    if (!isCurrent()) return false
    const before = listingFingerprint(this.#read, this.#cut, this.#reads)
    this.#read = this.#options.onListed(pinned, cut !== undefined)
    this.#reads = reads
    this.#cut = cut
    this.#listedAt = this.#options.clock.monotonic()
    if (before === listingFingerprint(this.#read, cut, reads)) return false
    tellOdd(this.#options.logger, this.server.name, this.#read, reads, cut)
    return true
  }

  async close(): Promise<void> {
    this.#closing.abort(new TurnwardError('gateway.draining'))
    this.#requests.close()
    this.#pinned.close()
    clearTimeout(this.#retry)
    const state = this.#state
    if (state.kind === 'starting') await state.done
    this.#state = { kind: 'idle' }
    if (state.kind === 'ready') await state.exchange.close().catch(() => {})
  }
}
