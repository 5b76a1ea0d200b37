/** One exchange with an upstream, and what its health hears of it. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Upstream } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import type { BreakerPass } from './breaker.ts'
import type { PeakLatency } from './peak-latency.ts'
import { signOf, type UpstreamSign } from './reading-answers.ts'
import type { ModelHealth, Trouble, UpstreamState } from './upstream-state.ts'
import { askedWaitMs, usedUpMs } from './waiting-times.ts'

/** A model at an upstream, with the credential it is asked with. */
export interface AskedPlace {
  readonly upstream: Upstream
  /** As it is sent. */
  readonly model: string
  /** Id of the credential. */
  readonly credential: string
  /** Whether its answer is streamed; undefined where nothing is learned from how long it takes. */
  readonly isStream: boolean | undefined
}

/** How long it is left alone when it says "too many" and not until when. */
const unsaidWaitMs = 5_000

export interface HealthHooks {
  /** Told of every exchange that has come to an end that says something. */
  readonly onSign?: (upstream: string, sign: UpstreamSign | 'unreachable') => void
  /** Told when something is known of it that other processes should know at once. */
  readonly onSaid?: (upstream: Upstream) => void
  /** Told when an upstream, or a model of it, is passed over from now on, and when it is not any more. */
  readonly onTurn?: (upstream: string, model: string | undefined, trouble: Trouble | undefined) => void
}

/** One exchange with an upstream, from when it is sent. What is told first decides; everything after it is left alone. */
export class RunningExchange {
  readonly #clock: Clock
  readonly #hooks: HealthHooks
  readonly #state: UpstreamState
  readonly #health: ModelHealth
  readonly #place: AskedPlace
  readonly #began: number
  readonly #reach: BreakerPass
  readonly #pass: BreakerPass
  #isDecided = false
  #hasSucceeded = false
  #isOver = false

  constructor(clock: Clock, hooks: HealthHooks, state: UpstreamState, place: AskedPlace) {
    this.#clock = clock
    this.#hooks = hooks
    this.#state = state
    this.#place = place
    this.#health = state.model(place.model)
    this.#began = clock.monotonic()
    const now = clock.now()
    this.#reach = state.reach.begin(now)
    this.#pass = this.#health.breaker.begin(now)
    state.running += 1
    state.isActive = true
  }

  /** Its head has come. An answer with 200 that is streamed is decided by how it goes on. */
  answered(status: number, headers: IncomingHttpHeaders): void {
    const now = this.#clock.now()
    const sign = signOf(status, headers)
    this.#turned(this.#state.reach.succeeded(this.#reach), undefined, undefined)
    const wait = sign === 'throttled' ? (askedWaitMs(headers, now) ?? usedUpMs(headers, now) ?? unsaidWaitMs) : usedUpMs(headers, now)
    if (wait !== undefined && wait > 0)
      this.#coolDown(now + wait, sign === 'throttled' ? `it answered ${status}` : 'a limit of it is used up')
    if (sign === 'answered' && status < 400) {
      if (this.#place.isStream === false) this.#noteLatency(this.#health.whole)
      return
    }
    if (sign === 'broken') this.#fail(`it answered ${status}`, true)
    else this.#succeed(sign)
  }

  /** The first byte of its body has come. */
  bodyBegan(): void {
    if (this.#place.isStream === true && !this.#isDecided) this.#noteLatency(this.#health.streamed)
  }

  /** Another upstream has begun to answer before it, and it is cut off: it takes at least as long as until now. */
  outrun(): void {
    const { isStream } = this.#place
    if (!this.#isDecided && isStream !== undefined) this.#noteLatency(isStream ? this.#health.streamed : this.#health.whole)
    this.over()
  }

  #noteLatency(latency: PeakLatency): void {
    const now = this.#clock.monotonic()
    latency.note(now - this.#began, now)
  }

  /** Its answer is whole. */
  completed(): void {
    this.#succeed('answered')
    this.over()
  }

  /** There is no good answer, or it broke off: `why` in words of ours. */
  failed(why: string): void {
    this.#fail(why, false)
    this.over()
  }

  /** Nobody answered at all. */
  unreachable(why: string): void {
    const { upstream } = this.#place
    if (!this.#isDecided) {
      this.#isDecided = true
      this.#health.breaker.dropped(this.#pass)
      const now = this.#clock.now()
      const { reach } = this.#state
      const hasTurned = reach.failed(this.#reach, now, why, upstream.config.breaker)
      this.#turned(hasTurned, undefined, { kind: 'unreachable', why, until: reach.until })
      this.#hooks.onSign?.(upstream.name, 'unreachable')
    }
    this.over()
  }

  /** An answer with status 200 was none. */
  belied(why: string): void {
    const { upstream, model } = this.#place
    const { breaker } = this.#health
    const now = this.#clock.now()
    const { breaker: settings } = upstream.config
    const hasTurned = this.#hasSucceeded ? breaker.belied(now, why, settings) : breaker.failed(breaker.begin(now), now, why, settings)
    this.#hasSucceeded = false
    this.#turned(hasTurned, model, { kind: 'failing', why, until: breaker.until })
    this.over()
  }

  /** It is over; where nothing was said before, it says nothing of the upstream. */
  over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#state.running -= 1
    if (this.#isDecided) return
    this.#isDecided = true
    this.#state.reach.dropped(this.#reach)
    this.#health.breaker.dropped(this.#pass)
  }

  #succeed(sign: UpstreamSign): void {
    if (this.#isDecided) return
    this.#isDecided = true
    this.#hasSucceeded = true
    this.#health.answeredAt = this.#clock.now()
    this.#health.saidSince = undefined
    this.#turned(this.#health.breaker.succeeded(this.#pass), this.#place.model, undefined)
    this.#hooks.onSign?.(this.#place.upstream.name, sign)
  }

  /** `isSaid`: the upstream itself has said so. */
  #fail(why: string, isSaid: boolean): void {
    if (this.#isDecided) return
    this.#isDecided = true
    const { upstream, model } = this.#place
    const { breaker } = this.#health
    this.#state.reach.dropped(this.#reach)
    const hasTurned = breaker.failed(this.#pass, this.#clock.now(), why, upstream.config.breaker)
    if (hasTurned) this.#health.saidSince = isSaid ? this.#clock.now() : undefined
    this.#turned(hasTurned, model, { kind: 'failing', why, until: breaker.until })
    if (hasTurned && isSaid) this.#hooks.onSaid?.(upstream)
    this.#hooks.onSign?.(upstream.name, 'broken')
  }

  #coolDown(until: number, why: string): void {
    const { upstream, model, credential } = this.#place
    const trouble: Trouble = { kind: 'throttled', why, until }
    const isKnown = this.#health.cooldowns.get(credential, this.#clock.now()) !== undefined
    this.#health.cooldowns.set(credential, trouble, { expires: until })
    this.#health.cooldownUntil = Math.max(this.#health.cooldownUntil, until)
    if (isKnown) return
    this.#hooks.onTurn?.(upstream.name, model, trouble)
    this.#hooks.onSaid?.(upstream)
  }

  #turned(hasTurned: boolean, model: string | undefined, trouble: Trouble | undefined): void {
    if (hasTurned) this.#hooks.onTurn?.(this.#place.upstream.name, model, trouble)
  }
}
