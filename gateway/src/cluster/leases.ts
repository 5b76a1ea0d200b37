/**
 * What one process of an installation has and no other: taken for a while, prolonged while it lives, free again when it
 * does not. Whoever cannot prolong in time must let go before the others may take: the holder counts from before it asked.
 */
import type { Clock } from '../core/clock.ts'
import { randomText } from '../core/ids.ts'
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
  const record = { instance: options.self, lease: randomText(12), changes: 1 }
  const held = await options.state.change('lease', name, (before) => taken(options.clock, before ?? record))
  return held.lease === record.lease ? new HeldLease(options, name, record, asked) : held
}

/** Who has it now; undefined when nobody does. */
export async function holderOf(state: StateStore, name: string): Promise<LeaseRecord | undefined> {
  return state.get('lease', name)
}

/** Prolongs what is there, when it is ours; what is another's stays as it is. */
function taken(clock: Clock, record: LeaseRecord): { value: LeaseRecord; expires: number; result: LeaseRecord } {
  return { value: record, expires: clock.now() + lengthMs, result: record }
}

class HeldLease implements Lease {
  readonly #options: LeaseOptions
  readonly #name: string
  readonly #lost = Promise.withResolvers<string>()
  readonly #timer: NodeJS.Timeout
  /** Monotonic milliseconds until which it is certainly ours. */
  #until: number
  #record: LeaseRecord
  #isOver = false

  constructor(options: LeaseOptions, name: string, record: LeaseRecord, asked: number) {
    this.#options = options
    this.#name = name
    this.#record = record
    this.#until = asked + lengthMs - marginMs
    this.#timer = setInterval(() => this.#tick(), prolongMs / 5)
    this.#timer.unref()
  }

  get lost(): Promise<string> {
    return this.#lost.promise
  }

  touch(): void {
    this.#record = { ...this.#record, changes: this.#record.changes + 1 }
    this.#prolong().catch(() => {})
  }

  async release(): Promise<void> {
    if (this.#isOver) return
    this.#end('it was given back')
    const { lease } = this.#record
    await this.#options.state.change('lease', this.#name, (before) => ({
      value: before?.lease === lease ? undefined : before,
      expires: 0,
      result: undefined,
    }))
  }

  #tick(): void {
    const now = this.#options.clock.monotonic()
    if (now >= this.#until) this.#end('it could not be prolonged in time')
    else if (this.#until - now < lengthMs - marginMs - prolongMs) this.#prolong().catch(() => {})
  }

  async #prolong(): Promise<void> {
    const asked = this.#options.clock.monotonic()
    const { state, clock, logger } = this.#options
    const record = this.#record
    try {
      const held = await state.change('lease', this.#name, (before) =>
        before === undefined || before.lease === record.lease ? taken(clock, record) : { value: before, expires: 0, result: before },
      )
      if (held.lease !== record.lease) this.#end('another process has it')
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
