/**
 * Connections and children that are somebody's own, by the slot that shows what there is and works for nobody. They end when
 * nobody has used them for a while, when their person may not call any more, and when what they were started with is taken back.
 */
import type { Snapshot } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import { asTurnwardError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import type { Caller } from '../../core/principal.ts'
import { isPersonal, type ServerCredentials } from '../../identity/server-auth/server-credentials.ts'
import type { HopAuthorization } from '../connectors/hop-authorization.ts'
import { hasSameTools } from '../tool-definitions.ts'
import type { CallQueue } from './call-queue.ts'
import { PrincipalChildren } from './principal-children.ts'
import { ServerSlot } from './server-slot.ts'
import type { SlotOptions } from './slot-options.ts'

/** How long the child of a principal may be idle unless the configuration says. */
export const principalIdleMs = 600_000
/** Connections of people to one server at one time. */
const mostPersonal = 1000
/** Whether what a child runs with is still good is found out in this time. */
const recheckMs = 10_000

export interface OwnChildrenOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** Of the whole gateway. */
  readonly starts: Pick<CallQueue, 'run'>
  readonly authorization: (shared: ServerSlot) => HopAuthorization | undefined
}

export class OwnChildren {
  readonly #options: OwnChildrenOptions
  readonly #pools = new Map<ServerSlot, PrincipalChildren<ServerSlot>>()

  constructor(options: OwnChildrenOptions) {
    this.#options = options
  }

  /** Has them for a server whose callers have connections or children of their own; does nothing for any other. */
  open(shared: ServerSlot, base: Omit<SlotOptions, 'onChange' | 'onListed'>): void {
    const { config } = shared.server
    if (config.transport === 'stdio' && config.per === 'principal')
      this.#pools.set(shared, this.#pool(shared, base, config.max_children, config.idle_ms ?? principalIdleMs))
    else if (isPersonal(shared.server)) this.#pools.set(shared, this.#pool(shared, base, mostPersonal, principalIdleMs))
  }

  isRunning(shared: ServerSlot): boolean {
    return this.#pools.get(shared)?.isRunning === true
  }

  /** The one of this owner, which works for this caller from now on: what it shows the server is had for him. */
  take(shared: ServerSlot, owner: string, caller: Caller | undefined): ServerSlot | undefined {
    const child = this.#pools.get(shared)?.take(owner)
    if (child?.authorization !== undefined) child.authorization.caller = caller
    return child
  }

  /** The one of this owner, if there is one. */
  of(shared: ServerSlot, owner: string): ServerSlot | undefined {
    return this.#pools.get(shared)?.of(owner)
  }

  /** Ends those that nobody used for too long. */
  sweep(): void {
    for (const pool of this.#pools.values()) pool.sweep()
  }

  /** Ends what is a person's own, with what runs in it. */
  endOf(person: string): void {
    for (const pool of this.#pools.values())
      pool.endWhere((owner, { authorization }) => owner === person || authorization?.caller?.principal.id === person)
  }

  /** Ends children that were started with something of their person that is not kept any more, or is something else now. */
  async recheck(credentials: ServerCredentials, snapshot: Snapshot): Promise<void> {
    const all = [...this.#pools].flatMap(([shared, pool]) => pool.all.map((child) => ({ shared, pool, child })))
    await Promise.all(
      all.map(async ({ shared, pool, child }) => {
        const { authorization } = child
        const caller = authorization?.caller
        if (authorization?.isStarted !== true || caller === undefined) return
        const query = { snapshot, server: shared.server, caller, signal: AbortSignal.timeout(recheckMs) }
        const isGood = await credentials.headersFor(query).then(
          (shown) => authorization.isStartedWith(shown?.environment ?? {}),
          // What cannot be found out now is found out by the next call.
          (error: unknown) => asTurnwardError(error).code !== 'mcp.link_needed',
        )
        if (isGood) return
        this.#options.logger.info({ server: shared.server.name }, 'the child of a person ends: what it was started with is kept no longer')
        pool.endWhere((_owner, one) => one === child)
      }),
    )
  }

  /** Ends all of a server. */
  async end(shared: ServerSlot): Promise<void> {
    await this.#pools.get(shared)?.close()
  }

  /** Ends all of a server that is to have none any more. */
  async remove(shared: ServerSlot): Promise<void> {
    const pool = this.#pools.get(shared)
    this.#pools.delete(shared)
    await pool?.close()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()))
  }

  /** What there is to call is said by the shared one: nothing of theirs is shown to anybody. */
  #pool(shared: ServerSlot, base: Omit<SlotOptions, 'onChange' | 'onListed'>, most: number, idleMs: number): PrincipalChildren<ServerSlot> {
    const { clock, logger, starts: all, authorization } = this.#options
    const notAdopted = (error: unknown): void =>
      logger.warn({ server: shared.server.name, code: asTurnwardError(error).code }, 'what an MCP server listed could not be taken')
    const make = (starts: SlotOptions['starts']): ServerSlot =>
      new ServerSlot({
        ...base,
        authorization: authorization(shared),
        pins: undefined,
        isOnDemand: true,
        knownEra: () => shared.era,
        // One server's turn first, and then the gateway's.
        starts: { run: (signal, job) => starts.run(signal, () => all.run(signal, job)) },
        onChange: () => {},
        onRead: (listed, reads) => {
          shared.adopt(listed, reads).catch(notAdopted)
        },
        onListed: (read) => (hasSameTools(shared.listing, read) ? shared.listing : read),
      })
    return new PrincipalChildren({ server: shared.server.name, most, idleMs, clock, make })
  }
}
