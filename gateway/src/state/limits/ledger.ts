/**
 * Reserves and settles over all limits of a call at once: all of it or nothing. Where the state is shared, the steps of this
 * process that come while one is under way are written together in the next one, so that a limit everybody shares costs a
 * process one round trip at a time, and only other processes can come between.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { randomText } from '../../core/ids.ts'
import { whenRead, type CallState, type MaybePromise, type StateStore } from '../state-store.ts'
import { type Counter, expiryOf, leaseMs, reserved, settled, type Standing, standingOf, useAt } from './limit-use.ts'

/** An amount of a limit in one scope. */
export interface Claim {
  readonly counter: Counter
  readonly amount: number
  /** It is counted, and refuses nothing. */
  readonly isSoft: boolean
}

/** How each claim stands, in order: with what was reserved, or without it, if something had no room. */
export interface Reserved {
  /** Index of the claim that had no room; undefined when everything was reserved. */
  readonly refused: number | undefined
  readonly standings: readonly Standing[]
}

export interface Settlement {
  readonly counter: Counter
  /** What was reserved. */
  readonly amount: number
  /** What it came to. */
  readonly actual: number
}

/** What the steps of all limits have in common: they are of one slot of the place, so that one step can be over several. */
const slot = 'limits'
/** Runs of an attempt that are made as one step; what comes after them would not be. */
const mostGuesses = 4
const mostAttempts = 100
const mostAtOnce = 128

/** What a step comes to, and what is to be noted once it is written. */
interface Made<R> {
  readonly result: R
  readonly note?: () => void
}

/** What became of one claim, and how its limit stands now. */
interface Tried {
  readonly isReserved: boolean
  readonly standing: Standing
}

type Step = (state: StateStore, now: number) => Promise<() => void>

export class Ledger {
  readonly #state: StateStore
  readonly #clock: Clock
  readonly #idleMs: () => number
  readonly #process = randomText(12)
  readonly #waiting: { readonly step: Step; readonly reject: (error: unknown) => void }[] = []
  #isRunning = false
  /** What this process has reserved: for as long as it lives it says so. */
  readonly #held = new Map<string, { readonly counter: Counter; amount: number }>()
  #renewing: NodeJS.Timeout | undefined

  /** `idleMs`: how long the use of a session is kept that nobody goes on with. */
  constructor(state: StateStore, clock: Clock, idleMs: () => number) {
    this.#state = state
    this.#clock = clock
    this.#idleMs = idleMs
  }

  /** Reserves all claims, or none; at once where the state is in this process. Throws or rejects with `state.*` where the state cannot be used: then nothing was reserved. */
  reserve(claims: readonly Claim[]): MaybePromise<Reserved> {
    return this.#do((state, now) => this.#reserveFrom(0, claims, [], state, now))
  }

  /** Settles, all in one step. Throws or rejects with `state.*`; what was reserved then counts as used when this process is gone. */
  settle(settlements: readonly Settlement[]): MaybePromise<void> {
    return this.#do((state, now) =>
      whenRead(this.#settleAll(settlements, state, now), () => ({
        result: undefined,
        note: () => settlements.forEach(({ counter, amount }) => this.#hold(counter, -amount)),
      })),
    )
  }

  /** How limits stand now. */
  async standings(counters: readonly Counter[]): Promise<readonly Standing[]> {
    const state = this.#state.begin?.(slot) ?? this.#state
    const uses = await Promise.all(counters.map(async ({ key }) => state.get('limit', key)))
    const now = this.#now(state)
    return counters.map((counter, at) => standingOf(useAt(uses[at], counter, now), counter, now))
  }

  /** What this process has reserved and not settled, over all limits. */
  get outstanding(): number {
    return [...this.#held.values()].reduce((sum, { amount }) => sum + amount, 0)
  }

  close(): void {
    clearInterval(this.#renewing)
    this.#renewing = undefined
  }

  /** From the claim at this index on, one after the other. */
  #reserveFrom(at: number, claims: readonly Claim[], standings: Standing[], state: StateStore, now: number): MaybePromise<Made<Reserved>> {
    const claim = claims[at]
    if (claim === undefined)
      return {
        result: { refused: undefined, standings },
        note: () => claims.forEach(({ counter, amount }) => this.#hold(counter, amount)),
      }
    const giveBack = (): MaybePromise<void> =>
      this.#settleAll(
        claims.slice(0, at).map((one) => ({ ...one, actual: 0 })),
        state,
        now,
      )
    // Where every change is one of its own, what was reserved before the state took no more would stay so.
    const fail = (error: unknown): MaybePromise<never> =>
      whenRead(this.#state.begin === undefined ? giveBack() : undefined, () => {
        throw error
      })
    let changed: MaybePromise<Tried>
    try {
      changed = this.#reserveOne(claim, state, now)
    } catch (error) {
      return fail(error)
    }
    return whenRead(changed instanceof Promise ? changed.catch(fail) : changed, ({ isReserved, standing }) => {
      standings.push(standing)
      if (isReserved) return this.#reserveFrom(at + 1, claims, standings, state, now)
      return whenRead(giveBack(), () => ({ result: { refused: at, standings } }))
    })
  }

  #reserveOne({ counter, amount, isSoft }: Claim, state: StateStore, now: number): MaybePromise<Tried> {
    return state.change('limit', counter.key, (before) => {
      const next = reserved(before, counter, { process: this.#process, amount, now, force: isSoft })
      const use = next ?? useAt(before, counter, now)
      return {
        value: next ?? before,
        expires: this.#expiry(counter, now),
        result: { isReserved: next !== undefined, standing: standingOf(use, counter, now) },
      }
    })
  }

  #settleAll(settlements: readonly Settlement[], state: StateStore, now: number, from = 0): MaybePromise<void> {
    const settlement = settlements[from]
    if (settlement === undefined) return undefined
    const { counter, amount, actual } = settlement
    const changed = state.change('limit', counter.key, (before) => ({
      value: settled(before, counter, { process: this.#process, amount, actual, now }),
      expires: this.#expiry(counter, now),
      result: undefined,
    }))
    return whenRead(changed, () => this.#settleAll(settlements, state, now, from + 1))
  }

  #expiry(counter: Counter, now: number): number {
    return expiryOf(counter, now, this.#idleMs())
  }

  #now(state: StateStore): number {
    return ('clock' in state ? (state as CallState).clock : this.#clock).now()
  }

  #hold(counter: Counter, amount: number): void {
    const held = this.#held.get(counter.key)
    const sum = (held?.amount ?? 0) + amount
    if (sum <= 0) this.#held.delete(counter.key)
    else this.#held.set(counter.key, { counter, amount: sum })
    if (this.#held.size > 0 && this.#renewing === undefined) {
      this.#renewing = setInterval(() => this.#renew(), leaseMs / 3)
      this.#renewing.unref()
    } else if (this.#held.size === 0) this.close()
  }

  /** What runs long stays reserved. */
  #renew(): void {
    const claims = [...this.#held.values()].map(({ counter }) => ({ counter, amount: 0, isSoft: true }))
    // What cannot be renewed now is when the next round comes, or counts as used.
    Promise.try(() => this.reserve(claims)).catch(() => {})
  }

  /** Where the state is in this process, at once. */
  #do<R>(run: (state: StateStore, now: number) => MaybePromise<Made<R>>): MaybePromise<R> {
    if (this.#state.begin === undefined)
      return whenRead(run(this.#state, this.#now(this.#state)), ({ result, note }) => {
        note?.()
        return result
      })
    return new Promise((resolve, reject) => {
      const step: Step = async (state, now) => {
        const { result, note } = await run(state, now)
        return () => {
          note?.()
          resolve(result)
        }
      }
      this.#waiting.push({ step, reject })
      if (!this.#isRunning) this.#run().catch(reject)
    })
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#waiting.length > 0) {
      const some = this.#waiting.splice(0, mostAtOnce)
      try {
        for (const done of await this.#inOneStep(some.map(({ step }) => step))) done()
      } catch (error) {
        for (const { reject } of some) reject(error)
      }
    }
    this.#isRunning = false
  }

  /** Everything in one write, made again on what others have written in between. */
  async #inOneStep(steps: readonly Step[]): Promise<readonly (() => void)[]> {
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const state = this.#state.begin?.(slot)
      if (state === undefined) break
      let runs = 0
      try {
        return await state.attempt(async () => {
          runs += 1
          // From here on each change would be written by itself.
          if (runs > mostGuesses) throw othersInBetween
          const done: (() => void)[] = []
          for (const step of steps) done.push(await step(state, this.#now(state)))
          return done
        })
      } catch (error) {
        if (error !== othersInBetween) throw error
        await sleep(Math.random() * 20)
      }
    }
    throw new TurnwardError('state.busy', { subject: slot })
  }
}

const othersInBetween = new Error('others were in between')
