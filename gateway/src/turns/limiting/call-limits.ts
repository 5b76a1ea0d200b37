/**
 * The limits of one call: what it is expected to use is reserved over all of them at once before anything is sent, and what
 * it has used is settled once it is over, whatever became of it. What was reserved and not used is given back.
 */
import type { OutgoingHttpHeaders } from 'node:http'
import { targetsOf } from '../../config/route-targets.ts'
import type { Route, RouteTarget } from '../../config/snapshot.ts'
import { asTurnwardError, type TurnwardError } from '../../core/error.ts'
import type { PricedRound } from '../../models/prices/prices.ts'
import type { Tariff } from '../../models/prices/tariff.ts'
import type { Settlement } from '../../state/limits/ledger.ts'
import type { Standing } from '../../state/limits/limit-use.ts'
import type { AttachedCall } from '../call.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import { amountOf, amountsOf, type Amounts, costIn } from './amounts.ts'
import { limitHeaders, type LimitHeaderForm } from './limit-headers.ts'
import { overLimit, recordRefusal, recordWarning, type RefusedKind, unpricedModel } from './limit-refusal.ts'
import { type CallFacts, limitsOf, type ScopedLimit } from './limits-of-call.ts'

/** A call as its limits see it. */
export type LimitedCall = Omit<AttachedCall, 'session'> & {
  readonly session: AttachedCall['session'] | null
  /** `dec_…`: what is refused is refused under it. */
  readonly decision: string
  readonly origin?: Partial<Pick<CallOrigin, 'isWithin' | 'signal'>>
}

/** What is expected of a call. */
export interface Expected {
  readonly inputTokens: number
  readonly outputTokens: number
}

/** What a call is, and what is expected of it. */
export interface LimitedUse {
  /** What a refusal is on record as; undefined: whoever asks records it. */
  readonly kind: RefusedKind | undefined
  readonly names: Pick<CallFacts, 'model' | 'tool'>
  readonly expected: Expected
  /** How its client reads of limits. */
  readonly form: LimitHeaderForm
}

/** What answers say is counted by these. */
const countsOfOutput: ReadonlySet<string> = new Set(['output_tokens', 'tokens', 'cost'])
/** What requests bring is counted by these. */
const countsOfInput: ReadonlySet<string> = new Set(['input_tokens', 'tokens', 'cost'])
/** Less than so many tokens are not reserved by themselves. */
const leastExtension = 16

interface Held extends ScopedLimit {
  readonly amount: number
  /** What it is reserved for, of a limit that asks for the upstream. */
  readonly upstream: string | undefined
}

export class CallLimits {
  readonly #call: LimitedCall
  readonly #kind: RefusedKind | undefined
  readonly #facts: CallFacts
  readonly #expected: Expected
  readonly #form: LimitHeaderForm
  #held: Held[] = []
  readonly #upstreams = new Set<string>()
  /** Those of them where nothing of the call runs any more. */
  readonly #left = new Set<string>()
  readonly #standings = new Map<ScopedLimit, Standing>()
  /** Limits that this call has been warned of. */
  readonly #warned = new Set<string>()
  #reservedOutput: number
  #isOver = false
  /** Where it answers, or was thought to go last. */
  #target: RouteTarget | undefined

  private constructor(call: LimitedCall, { kind, names, expected, form }: LimitedUse) {
    const { caller, session, turn, origin } = call
    this.#call = call
    this.#kind = kind
    this.#facts = { ...names, caller, session: session?.id ?? null, turn, isWithin: origin?.isWithin === true }
    this.#expected = expected
    this.#reservedOutput = expected.outputTokens
    this.#form = form
  }

  /** Undefined where the configuration has no limits. */
  static of(call: LimitedCall, use: LimitedUse): CallLimits | undefined {
    return call.snapshot.limits.length === 0 ? undefined : new CallLimits(call, use)
  }

  /**
   * Reserves what the call is expected to use, at the dearest upstream of its route: who answers is not known yet. Throws
   * `limit.*`, which is on record then, and `state.*` where nobody can tell how much is used.
   */
  reserve(route?: Route): Promise<void> {
    return this.#reserve(limitsOf(this.#call.snapshot, this.#facts), route === undefined ? [] : targetsOf(route), undefined)
  }

  /** Reserves what is limited at an upstream before it is asked. Throws `limit.*`: another one may have room, or a price. */
  atUpstream(target: RouteTarget): Promise<void> | undefined {
    const { name } = target.upstream
    this.#target = target
    // That another upstream of the route has a price lets nothing through here.
    this.#refuseUnpriced(this.#held, [target])
    const isKnown = this.#upstreams.has(name)
    if (isKnown && !this.#left.has(name)) return undefined
    const all = limitsOf(this.#call.snapshot, { ...this.#facts, upstream: name }, true)
    // Where it has been and left, only what counts calls under way is not reserved any more.
    const limits = isKnown ? all.filter(({ limit }) => limit.count === 'concurrent') : all
    return limits.length === 0 ? undefined : this.#reserveAt(name, target, limits)
  }

  async #reserveAt(name: string, target: RouteTarget, limits: readonly ScopedLimit[]): Promise<void> {
    await this.#reserve(limits, [target], name)
    // Only now: where it was refused nothing is reserved, and whoever comes back to it asks anew.
    this.#upstreams.add(name)
    this.#left.delete(name)
  }

  /** Who has begun to answer: what is reserved from here on is of there, whoever was asked last. */
  answeredBy(target: RouteTarget): void {
    this.#target = target
  }

  /**
   * Reserves what is read once more where the same request goes to another upstream at the same time. Says whether there is room for
   * it: where there is none nobody is refused anything. Rejects with `state.*`.
   */
  async beside(target: RouteTarget): Promise<boolean> {
    const limits = this.#counting(countsOfInput, undefined)
    const usage = { inputTokens: this.#expected.inputTokens }
    const cost = costIn(await this.#tariffFor(limits, target), usage)
    return (await this.#add(limits, { requests: 0, usage, cost })) === undefined
  }

  /** Nothing of the call runs there any more: whoever waits for a place there has it. Never throws. */
  async leave({ upstream: { name } }: RouteTarget): Promise<void> {
    const isOver = ({ limit, upstream }: Held): boolean => upstream === name && limit.count === 'concurrent'
    const over = this.#held.filter(isOver)
    if (over.length === 0) return
    this.#held = this.#held.filter((held) => !isOver(held))
    this.#left.add(name)
    await this.#settle(over.map(({ counter, amount }) => ({ counter, amount, actual: 0 })))
  }

  /** Whether a limit that holds for the call counts what is answered. */
  get countsOutput(): boolean {
    return this.#held.some(({ limit }) => countsOfOutput.has(limit.count))
  }

  /** Output tokens that are reserved. */
  get reservedOutput(): number {
    return this.#reservedOutput
  }

  /**
   * Reserves so many more output tokens, or as many of them as there is room for. Resolves with the name of the limit that has no room;
   * rejects with `state.*`.
   */
  async extend(tokens: number): Promise<string | undefined> {
    const target = this.#target
    const limits = this.#counting(countsOfOutput, target?.upstream.name)
    const { inputTokens } = this.#expected
    const tariff = target === undefined ? undefined : await this.#tariffFor(limits, target)
    const costOf = (outputTokens: number): number => costIn(tariff, { inputTokens, outputTokens })
    for (let size = tokens; ; size = Math.max(leastExtension, Math.floor(size / 2))) {
      const cost = costOf(this.#reservedOutput + size) - costOf(this.#reservedOutput)
      const usedUp = await this.#add(limits, { requests: 0, usage: { outputTokens: size }, cost })
      if (usedUp === undefined) this.#reservedOutput += size
      if (usedUp === undefined || size <= leastExtension) return usedUp
    }
  }

  /** How the limits stood when the call was let in, as clients read it. */
  get headers(): OutgoingHttpHeaders {
    return limitHeaders(this.#form, this.#standings, this.#call.services.clock.now())
  }

  /** Settles what the rounds came to; where nothing has run, everything is given back. Never throws. Only the first time counts. */
  async settle(rounds: readonly PricedRound[], hasRun = rounds.length > 0): Promise<void> {
    if (this.#isOver || this.#held.length === 0) return
    this.#isOver = true
    const { services, snapshot } = this.#call
    const steps = new Map<string, { counter: Held['counter']; limit: Held['limit']; amount: number; upstreams: string[] }>()
    for (const { counter, limit, amount, upstream } of this.#held) {
      const asked = upstream === undefined ? [] : [upstream]
      const before = steps.get(counter.key)
      if (before === undefined) {
        steps.set(counter.key, { counter, limit, amount, upstreams: asked })
        continue
      }
      // Reserved in several steps, at several upstreams, used once.
      before.amount += amount
      before.upstreams.push(...asked)
    }
    const used = new Map<string, Amounts>()
    const settlements: Settlement[] = []
    for (const { counter, limit, amount, upstreams } of steps.values()) {
      const at = upstreams.join()
      let amounts = used.get(at)
      if (amounts === undefined) {
        const only = upstreams.length === 0 ? undefined : upstreams
        amounts = amountsOf(rounds, (round) => services.prices.tariffOf(snapshot.prices, round), only, hasRun)
        used.set(at, amounts)
      }
      settlements.push({ counter, amount, actual: limit.count === 'concurrent' ? 0 : amountOf(limit, amounts) })
    }
    await this.#settle(settlements)
  }

  async #settle(settlements: readonly Settlement[]): Promise<void> {
    const { ledger, telemetry } = this.#call.services
    try {
      await ledger.settle(settlements)
    } catch (thrown) {
      telemetry.logger.error(
        { code: asTurnwardError(thrown).code },
        'what a call has used could not be settled: all that was reserved counts',
      )
    }
  }

  /** Where nobody tells what was used: all that was reserved, or nothing of it. Never throws. */
  async settleAsExpected(hasRun: boolean): Promise<void> {
    const target = this.#target
    if (!hasRun || target === undefined) return this.settle([], hasRun)
    await this.settle([{ upstream: target.upstream, models: [this.#facts.model, target.model], usage: this.#expected }])
  }

  /** Counts something that has run already. Throws `limit.*` where that is more than a limit has: nothing more of it is to run. */
  async charge(round: PricedRound): Promise<void> {
    const { services, snapshot } = this.#call
    const { name } = round.upstream
    const ours = limitsOf(snapshot, this.#facts)
    const theirs = limitsOf(snapshot, { ...this.#facts, upstream: name }, true)
    const limits = [...ours, ...theirs].filter(({ limit }) => limit.count !== 'concurrent')
    if (limits.length === 0) return
    await services.prices.ready(round.upstream)
    const amounts = amountsOf([round], (one) => services.prices.tariffOf(snapshot.prices, one), undefined)
    const counted = limits.map(({ limit, counter }) => ({ counter, amount: amountOf(limit, amounts), isSoft: true }))
    const { standings } = await services.ledger.reserve(counted)
    await services.ledger.settle(counted.map(({ counter, amount }) => ({ counter, amount, actual: amount })))
    for (const [at, one] of limits.entries()) {
      const standing = standings[at]
      if (standing === undefined || standing.used < standing.limit) continue
      if (!one.limit.isWarning) throw this.#refused(one, overLimit(one, standing, 0))
      this.#warn(one)
    }
  }

  async #reserve(limits: readonly ScopedLimit[], targets: readonly RouteTarget[], upstream: string | undefined): Promise<void> {
    if (limits.length === 0) return
    const usage = this.#expected
    this.#target = targets[0]
    let cost = 0
    if (limits.some(({ limit }) => limit.count === 'cost')) {
      for (const { upstream: asked } of targets) await this.#call.services.prices.ready(asked)
      this.#refuseUnpriced(limits, targets)
      cost = Math.max(0, ...targets.map((target) => costIn(this.#tariffAt(target), usage)))
    }
    await this.#take(limits, { requests: 1, usage, cost }, upstream)
  }

  /** What is reserved so far in limits that count this: of the call, and of one upstream of it. */
  #counting(counts: ReadonlySet<string>, at: string | undefined): readonly Held[] {
    const own = this.#held.filter(({ limit, upstream }) => counts.has(limit.count) && (upstream ?? at) === at)
    return [...new Map(own.map((held) => [held.counter.key, held])).values()]
  }

  /** Undefined where none of the limits asks for a price. */
  async #tariffFor(limits: readonly ScopedLimit[], target: RouteTarget): Promise<Tariff | undefined> {
    if (!limits.some(({ limit }) => limit.count === 'cost')) return undefined
    await this.#call.services.prices.ready(target.upstream)
    return this.#tariffAt(target)
  }

  #tariffAt({ upstream, model }: RouteTarget): Tariff | undefined {
    const { services, snapshot } = this.#call
    return services.prices.tariffOf(snapshot.prices, { upstream, models: [this.#facts.model, model] })
  }

  /** Throws where a budget lets nothing through without a price, and none of those who may be asked has one. */
  #refuseUnpriced(limits: readonly ScopedLimit[], targets: readonly RouteTarget[]): void {
    if (this.#call.snapshot.settings.limits.unpriced !== 'refuse' || targets.length === 0) return
    const strict = limits.find(({ limit }) => limit.count === 'cost' && !limit.isWarning)
    if (strict === undefined || targets.some((target) => this.#tariffAt(target) !== undefined)) return
    throw this.#refused(strict, unpricedModel(strict, this.#facts.model ?? ''))
  }

  async #take(limits: readonly ScopedLimit[], amounts: Amounts, upstream: string | undefined): Promise<void> {
    const { services } = this.#call
    const claims = limits.map(({ limit, counter }) => ({ counter, amount: amountOf(limit, amounts), isSoft: limit.isWarning }))
    const { refused, standings } = await services.ledger.reserve(claims)
    for (const [at, standing] of standings.entries()) {
      const one = limits[at]
      if (one !== undefined) this.#standings.set(one, standing)
    }
    const [over, standing] = refused === undefined ? [undefined, undefined] : [limits[refused], standings[refused]]
    if (over !== undefined && standing !== undefined) throw this.#refused(over, overLimit(over, standing, amountOf(over.limit, amounts)))
    for (const [at, one] of limits.entries()) {
      const { amount = 0 } = claims[at] ?? {}
      this.#held.push({ ...one, amount, upstream })
      const { used, limit } = standings[at] ?? { used: 0, limit: Infinity }
      if (one.limit.isWarning && used > limit) this.#warn(one)
    }
  }

  /** Reserves more for what runs. Resolves with the name of the limit that has no room for it. */
  async #add(limits: readonly Held[], amounts: Amounts): Promise<string | undefined> {
    const { ledger } = this.#call.services
    const claims = limits.map(({ limit, counter }) => ({ counter, amount: amountOf(limit, amounts), isSoft: limit.isWarning }))
    const { refused, standings } = await ledger.reserve(claims)
    if (refused !== undefined) return limits[refused]?.limit.name
    if (this.#isOver) {
      // It has ended meanwhile, and what it used is settled.
      await ledger.settle(claims.map(({ counter, amount }) => ({ counter, amount, actual: 0 })))
      return undefined
    }
    for (const [at, held] of limits.entries()) {
      this.#held.push({ ...held, amount: claims[at]?.amount ?? 0 })
      const { used, limit } = standings[at] ?? { used: 0, limit: Infinity }
      if (held.limit.isWarning && used > limit) this.#warn(held)
    }
    return undefined
  }

  #refused(over: ScopedLimit, error: TurnwardError): TurnwardError {
    error.turn ??= this.#call.turn ?? undefined
    this.#call.services.telemetry.count('turnward_limits_total', { limit: over.limit.name, action: 'refuse' })
    if (this.#kind !== undefined) recordRefusal(this.#call, this.#kind, this.#facts, over, error)
    return error
  }

  #warn(over: ScopedLimit): void {
    if (this.#warned.has(over.counter.key)) return
    this.#warned.add(over.counter.key)
    this.#call.services.telemetry.count('turnward_limits_total', { limit: over.limit.name, action: 'warn' })
    recordWarning(this.#call, this.#kind ?? { kind: 'tool_call' }, this.#facts, over)
  }
}
