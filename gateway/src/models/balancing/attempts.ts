/**
 * Whom a call asks, one after the other, while nothing of an answer has gone out: the upstreams of its plan, then, where the route
 * says so, some of them again, within a budget and after a while. It decides and waits for nothing.
 */
import type { Hedge, Retries, RouteTarget } from '../../config/snapshot.ts'
import type { Plan } from './planning.ts'
import type { UpstreamHealth } from './upstream-health.ts'

/**
 * What has become of asking one. `transient`: another one may do better, or the same one later. `elsewhere`: another one may.
 * `too_long`: the conversation is longer than the model takes. `final`: nobody would do better.
 */
export type AttemptFailure = 'transient' | 'elsewhere' | 'too_long' | 'final'

export interface AttemptSettings {
  readonly retries: Retries
  /** Whom to ask when the conversation is too long. */
  readonly onContextLength: RouteTarget | undefined
  /** When others are asked beside the one that was chosen; undefined: never. */
  readonly hedge?: Hedge | undefined
}

export class Attempts {
  readonly plan: Plan
  /** How many have been asked. */
  count = 0
  /** Why the present one is asked, where the plan does not say it. */
  why: string | undefined
  /** Who is asked, or has answered. */
  current: RouteTarget | undefined
  readonly #settings: AttemptSettings
  readonly #health: Pick<UpstreamHealth, 'budget'>
  readonly #random: () => number
  #queue: readonly RouteTarget[]
  /** Who may be asked again. */
  #again: RouteTarget[] = []
  readonly #waits = new Map<RouteTarget, number>()
  #repeated = 0
  #isFallback = false
  /** How many have been asked beside others. */
  #besides = 0

  constructor(plan: Plan, settings: AttemptSettings, health: Pick<UpstreamHealth, 'budget'>, random: () => number = Math.random) {
    this.plan = plan
    this.#settings = settings
    this.#health = health
    this.#random = random
    this.#queue = plan.targets
  }

  /** Whether a conversation that is too long can be asked of somebody else. */
  get hasFallback(): boolean {
    const { onContextLength: longer } = this.#settings
    // Of several that are asked at once each may find it too long.
    return longer !== undefined && (!this.#isFallback || this.#queue.includes(longer))
  }

  /** When others are asked beside the one that was chosen. */
  get hedge(): Hedge | undefined {
    return this.#settings.hedge
  }

  /** Whom to ask now; undefined when nobody is left. */
  take(): RouteTarget | undefined {
    const [target, ...rest] = this.#queue
    this.#queue = rest
    this.current = target
    // Of one that was asked beside another it is said no more.
    if (this.#repeated === 0 && !this.#isFallback) this.why = undefined
    if (target !== undefined) {
      this.count += 1
      if (this.#repeated === 0) this.#health.budget(target.upstream).add()
    }
    return target
  }

  /**
   * Whom to ask beside the one that was chosen, which has not begun to answer; undefined when nobody may be. It counts among what
   * the chosen one may have asked again: a fifth more in all, whoever is slow.
   */
  takeBeside(mayBeAsked: (target: RouteTarget) => boolean): RouteTarget | undefined {
    const { hedge } = this.#settings
    const slow = this.current
    if (hedge === undefined || slow === undefined || this.#besides >= hedge.atMost) return undefined
    const target = this.#queue.find((one) => !this.plan.troubled.has(one) && mayBeAsked(one))
    if (target === undefined || !this.#health.budget(slow.upstream).take()) return undefined
    this.#queue = this.#queue.filter((one) => one !== target)
    this.#besides += 1
    this.count += 1
    this.why = `asked beside ${slow.upstream.name}, which had not begun to answer`
    return target
  }

  /** One that was to be asked beside others was not, and may be later. */
  putBack(target: RouteTarget): void {
    this.#queue = [target, ...this.#queue]
    this.count -= 1
    this.#besides -= 1
  }

  /** One of several that are asked at once has failed; the others may still answer. */
  dropped(
    failed: RouteTarget,
    failure: AttemptFailure,
    { waitMs = 0, wasSent }: { readonly waitMs?: number; readonly wasSent: boolean },
  ): void {
    if (!wasSent) this.#besides -= 1
    if (failure === 'too_long') this.#fallBack()
    else this.#note(failed, failure, waitMs)
  }

  /**
   * The one that was asked has failed: the milliseconds after which another is asked, or undefined when it is to be believed.
   * `waitMs`: how long it wants to be left alone. `why`: in words of ours.
   */
  after(failure: AttemptFailure, why: string, waitMs = 0): number | undefined {
    const failed = this.current
    if (failed === undefined || failure === 'final') return undefined
    if (failure === 'too_long') return this.#fallBack()
    this.#note(failed, failure, waitMs)
    if (this.#queue.length > 0) return 0
    return this.#repeat(why)
  }

  /** A later round of the same call: whoever has answered is asked first, and the others where it cannot. */
  again(): Attempts {
    const answered = this.current
    const others = this.plan.targets.filter((target) => target !== answered)
    const targets = answered === undefined ? others : [answered, ...others]
    // What was begun there goes on there: only the first round is asked of several at once.
    const settings = { ...this.#settings, hedge: undefined }
    return new Attempts({ ...this.plan, targets }, settings, this.#health, this.#random)
  }

  #note(failed: RouteTarget, failure: AttemptFailure, waitMs: number): void {
    if (failure === 'transient') {
      if (!this.#again.includes(failed)) this.#again.push(failed)
      this.#waits.set(failed, waitMs)
    } else this.#again = this.#again.filter((target) => target !== failed)
  }

  #fallBack(): number | undefined {
    const { onContextLength: target } = this.#settings
    if (target === undefined) return undefined
    if (this.#isFallback) return this.#queue.includes(target) ? 0 : undefined
    this.#isFallback = true
    this.#queue = [target]
    this.#again = []
    this.why = 'the conversation is too long for the one before it'
    return 0
  }

  #repeat(why: string): number | undefined {
    const { attempts, wait_ms: first, longest_wait_ms: longest } = this.#settings.retries
    if (this.#repeated >= attempts) return undefined
    const ready = this.#again.filter((target) => (this.#waits.get(target) ?? 0) <= longest)
    const target = ready[this.#repeated % Math.max(1, ready.length)]
    if (target === undefined || !this.#health.budget(target.upstream).take()) return undefined
    // By chance between nothing and the longest, so that those who failed together do not come back together.
    const jitter = this.#random() * Math.min(longest, first * 2 ** this.#repeated)
    this.#repeated += 1
    this.#queue = [target]
    this.why = `asked again: ${why}`
    return Math.max(this.#waits.get(target) ?? 0, jitter)
  }
}
