/**
 * Lets the processes of an installation know what upstreams have said to one of them: that a model fails, that a credential has
 * used up its limits, how soon answers begin, how many calls run. What one process could not reach stays its own: the
 * network between may be its own as well.
 */
import type { Snapshot, Upstream } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import { asTurnwardError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import type { StateStore } from '../../state/state-store.ts'
import { freshViews, type SharedUpstream } from '../../state/shared-upstreams.ts'
import { healthKey, type UpstreamHealth } from './upstream-health.ts'

export interface SharingOptions {
  readonly state: StateStore
  readonly health: UpstreamHealth
  readonly snapshot: () => Snapshot
  readonly clock: Clock
  readonly logger: Logger
  /** Unique to this process. */
  readonly self: string
}

const topic = 'upstreams'
/** How often what has changed is told; trouble is told at once. */
const roundMs = 2_000
/** What nobody has said anew by then is forgotten. */
const keptMs = 15 * 60_000

export class SharedHealth {
  readonly #options: SharingOptions
  readonly #timer: NodeJS.Timeout
  readonly #unlisten: (() => void) | undefined
  readonly #stopHearing: () => void
  #reading: Promise<void> | undefined
  #isReadAgain = false
  #hasFailed = false

  constructor(options: SharingOptions) {
    this.#options = options
    const { state, health } = options
    this.#timer = setInterval(() => this.#soon(this.round()), roundMs)
    this.#timer.unref()
    this.#unlisten = state.listen?.(topic, () => this.begin())
    this.#stopHearing = health.onTrouble((upstream) => this.#soon(this.#quietly(() => this.#tell(upstream, topic))))
  }

  /** Learns what others know, while nobody waits for it. */
  begin(): void {
    this.#soon(this.read())
  }

  /** Tells what has changed here, and learns what others know of the same upstreams. Never rejects. */
  async round(): Promise<void> {
    const { snapshot, health } = this.#options
    const active = [...snapshot().upstreams.values()].filter((upstream) => health.isActive(upstream))
    for (const upstream of active) await this.#quietly(() => this.#tell(upstream))
  }

  /** Learns what others know of every upstream; where that is under way already, from the beginning once more. Never rejects. */
  read(): Promise<void> {
    this.#isReadAgain = true
    this.#reading ??= this.#readAll()
    return this.#reading
  }

  close(): void {
    clearInterval(this.#timer)
    this.#unlisten?.()
    this.#stopHearing()
  }

  async #readAll(): Promise<void> {
    const { state, snapshot, health } = this.#options
    while (this.#isReadAgain) {
      this.#isReadAgain = false
      for (const upstream of snapshot().upstreams.values())
        await this.#quietly(async () => health.learn(upstream, this.#others(await state.get('upstream', healthKey(upstream)))))
    }
    this.#reading = undefined
  }

  async #tell(upstream: Upstream, announce?: string): Promise<void> {
    const { state, health, self, clock } = this.#options
    const own = health.view(upstream)
    const others = await state.change('upstream', healthKey(upstream), (before) => {
      const rest = this.#others(before)
      return { value: { ...rest, [self]: own }, expires: clock.now() + keptMs, result: rest, isForgettable: true, announce }
    })
    health.learn(upstream, others)
  }

  #others(shared: SharedUpstream | undefined): SharedUpstream {
    const { self, clock } = this.#options
    return freshViews(shared, self, clock.now())
  }

  /** None of it ever rejects. */
  #soon(work: Promise<void>): void {
    work.catch(() => {})
  }

  /** Nobody waits for it: while the state is away each process goes by what it has found itself. */
  async #quietly(step: () => Promise<void>): Promise<void> {
    try {
      await step()
      this.#hasFailed = false
    } catch (error) {
      if (!this.#hasFailed)
        this.#options.logger.warn({ code: asTurnwardError(error).code }, 'how upstreams are could not be shared with other processes')
      this.#hasFailed = true
    }
  }
}
