/**
 * What one process of an installation has and no other: taken for a while, prolonged while it lives, free again when it
 * does not. Whoever cannot prolong in time must let go before the others may take: the holder counts from before it asked.
 */
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { asTurnwardError } from '../core/error.ts'
import type { StateStore } from '../state/state-store.ts'
import type { LeaseRecord } from '../state/state-values.ts'

const lengthMs = 15_000
const prolongMs = 5000
/** The holder lets go this much before anybody else may take it. */
const marginMs = 4000

export interface Lease {
  /** Resolves with why, when it is no longer held. Never rejects. */
  readonly lost: Promise<string>
  /** Says that what is held has changed, to those who look. */
  touch(): void
  release(): Promise<void>
}

export interface LeaseOptions {
  readonly state: StateStore
  readonly clock: Clock
  readonly logger: Logger
  /** This process. */
  readonly self: string
}

/** Takes the lease, or says who has it. Rejects with `state.unavailable`. */
export async function takeLease(options: LeaseOptions, name: string): Promise<Lease | LeaseRecord> {
  const asked = options.clock.monotonic()
  const held = await options.state.change('lease', name, (before): ReturnType<typeof mine> => {
    if (before !== undefined && before.instance !== options.self) return { value: before, expires: 0, result: before }
    return mine(options, 1)
  })
  return held.instance === options.self ? new HeldLease(options, name, asked) : held
}

/** Who has it now; undefined when nobody does. */
export async function holderOf(state: StateStore, name: string): Promise<LeaseRecord | undefined> {
  return state.get('lease', name)
}

function mine({ self, clock }: LeaseOptions, changes: number): { value: LeaseRecord; expires: number; result: LeaseRecord } {
  const value = { instance: self, changes }
  return { value, expires: clock.now() + lengthMs, result: value }
}

class HeldLease implements Lease {
  readonly #options: LeaseOptions
  readonly #name: string
  readonly #lost = Promise.withResolvers<string>()
  readonly #timer: NodeJS.Timeout
  /** Monotonic milliseconds until which it is certainly ours. */
  #until: number
  #changes = 1
  #isOver = false

  constructor(options: LeaseOptions, name: string, asked: number) {
    this.#options = options
    this.#name = name
    this.#until = asked + lengthMs - marginMs
    this.#timer = setInterval(() => this.#tick(), prolongMs / 5)
    this.#timer.unref()
  }

  get lost(): Promise<string> {
    return this.#lost.promise
  }

  touch(): void {
    this.#changes += 1
    this.#prolong().catch(() => {})
  }

  async release(): Promise<void> {
    if (this.#isOver) return
    this.#end('it was given back')
    const { state, self } = this.#options
    await state.change('lease', this.#name, (before) =>
      before?.instance === self ? { value: undefined, expires: 0, result: undefined } : { value: before, expires: 0, result: undefined },
    )
  }

  #tick(): void {
    const now = this.#options.clock.monotonic()
    if (now >= this.#until) this.#end('it could not be prolonged in time')
    else if (this.#until - now < lengthMs - marginMs - prolongMs) this.#prolong().catch(() => {})
  }

  async #prolong(): Promise<void> {
    const asked = this.#options.clock.monotonic()
    const { state, self, logger } = this.#options
    try {
      const held = await state.change('lease', this.#name, (before): { value: LeaseRecord; expires: number; result: LeaseRecord } =>
        before !== undefined && before.instance !== self
          ? { value: before, expires: 0, result: before }
          : mine(this.#options, this.#changes),
      )
      if (held.instance !== self) this.#end('another process has it')
      else this.#until = Math.max(this.#until, asked + lengthMs - marginMs)
    } catch (error) {
      logger.warn({ lease: this.#name, code: asTurnwardError(error).code }, 'a lease could not be prolonged')
    }
  }

  #end(why: string): void {
    if (this.#isOver) return
    this.#isOver = true
    clearInterval(this.#timer)
    this.#lost.resolve(why)
  }
}
