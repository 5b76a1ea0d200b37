/**
 * How upstreams are, as this process finds them: whether they can be reached, whether a model of theirs works, whether a credential
 * has used up its limits, how many calls are under way, and how soon answers begin. It decides nothing; `planning.ts` does.
 */
import type { Upstream } from '../../config/snapshot.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'
import { digestJson } from '../../core/hash.ts'
import { mostShared, type SharedTrouble, type SharedUpstream, type SharedView } from '../../state/shared-upstreams.ts'
import type { RetryBudget } from './retry-budget.ts'
import { type AskedPlace, type HealthHooks, RunningExchange } from './running-exchange.ts'
import { type Trouble, UpstreamState } from './upstream-state.ts'

const mostUpstreams = 1024

export class UpstreamHealth {
  readonly #clock: Clock
  readonly #hooks: HealthHooks
  readonly #listeners = new Set<(upstream: Upstream) => void>()
  readonly #states = new BoundedMap<string, UpstreamState>({ most: mostUpstreams })
  readonly #keys = new WeakMap<Upstream, string>()

  constructor(clock: Clock, hooks: HealthHooks = {}) {
    this.#clock = clock
    this.#hooks = {
      ...hooks,
      onSaid: (upstream) => {
        for (const listener of this.#listeners) listener(upstream)
      },
    }
  }

  /** An exchange begins. */
  begin(place: AskedPlace): RunningExchange {
    return new RunningExchange(this.#clock, this.#hooks, this.#state(place.upstream), place)
  }

  /** Calls that are under way there. */
  running(upstream: Upstream): number {
    return this.#state(upstream).running
  }

  /** The same over all processes, as far as they have said so. */
  load(upstream: Upstream): number {
    const { running, learned } = this.#state(upstream)
    return running + learned.running
  }

  /** How much of its traffic may be asked again. */
  budget(upstream: Upstream): RetryBudget {
    return this.#state(upstream).budget
  }

  /** Milliseconds until an answer begins; undefined where none was measured. */
  latency(upstream: Upstream, model: string, isStream: boolean): number | undefined {
    const { models, learned } = this.#state(upstream)
    const health = models.get(model)
    return (isStream ? health?.streamed : health?.whole)?.at(this.#clock.monotonic()) ?? learned.latency(model, isStream)
  }

  /** Whether any credential has used up its limits there: then it matters with which one it would be asked. */
  hasCooldowns(upstream: Upstream, model: string): boolean {
    const { models, learned } = this.#state(upstream)
    const now = this.#clock.now()
    return (models.get(model)?.cooldownUntil ?? 0) > now || learned.hasCooldowns(model, now)
  }

  /** Why it is not to be asked while another can be. `credential`: the one it would be asked with, where that is known. */
  trouble(upstream: Upstream, model: string, credential: string | undefined): Trouble | undefined {
    const now = this.#clock.now()
    const { reach, models, learned } = this.#state(upstream)
    if (!reach.lets(now)) return { kind: 'unreachable', why: reach.why, until: reach.until }
    const health = models.get(model)
    if (health !== undefined && !health.breaker.lets(now)) return { kind: 'failing', why: health.breaker.why, until: health.breaker.until }
    const own = credential === undefined ? undefined : health?.cooldowns.get(credential, now)
    return own ?? learned.trouble(model, credential, now, health?.answeredAt ?? 0)
  }

  /** Everything in trouble there, for people. `model` is absent where it is all of them. */
  troubles(upstream: Upstream): readonly (Trouble & { readonly model?: string })[] {
    const now = this.#clock.now()
    const { reach, models, learned } = this.#state(upstream)
    const found: (Trouble & { readonly model?: string })[] = []
    if (reach.stateAt(now) === 'open') found.push({ kind: 'unreachable', why: reach.why, until: reach.until })
    for (const [model, { breaker, cooldowns }] of models.entries()) {
      if (breaker.stateAt(now) === 'open') found.push({ kind: 'failing', why: breaker.why, until: breaker.until, model })
      for (const [, trouble] of cooldowns.entries()) if (trouble.until > now) found.push({ ...trouble, model })
    }
    for (const { model, kind, why, until } of learned.troubles(now)) {
      if (!found.some((one) => one.model === model && one.kind === kind)) found.push({ kind, why, until, model })
    }
    return found
  }

  /** Models of it that have been asked, with how soon their answers begin (milliseconds). */
  measured(upstream: Upstream): readonly { readonly model: string; readonly streamMs?: number; readonly wholeMs?: number }[] {
    const now = this.#clock.monotonic()
    return [...this.#state(upstream).models.entries()].map(([model, { streamed, whole }]) => {
      const [streamMs, wholeMs] = [streamed.at(now), whole.at(now)]
      return { model, ...(streamMs === undefined ? {} : { streamMs }), ...(wholeMs === undefined ? {} : { wholeMs }) }
    })
  }

  /** Told of upstreams that have said something that others should know at once. Returns the way to stop. */
  onTrouble(listener: (upstream: Upstream) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Whether anything has happened there since others were told. */
  isActive(upstream: Upstream): boolean {
    const { isActive, running } = this.#state(upstream)
    return isActive || running > 0
  }

  /** What to tell others. */
  view(upstream: Upstream): SharedView {
    const state = this.#state(upstream)
    state.isActive = false
    const now = this.#clock.now()
    const troubles: SharedTrouble[] = []
    for (const [model, { breaker, saidSince, cooldowns }] of state.models.entries()) {
      if (saidSince !== undefined && breaker.stateAt(now) === 'open')
        troubles.push({ kind: 'failing', model, why: breaker.why, since: saidSince, until: breaker.until })
      for (const [credential, { why, until }] of cooldowns.entries())
        if (until > now) troubles.push({ kind: 'throttled', model, credential, why, since: now, until })
    }
    return {
      at: now,
      running: state.running,
      latencies: this.measured(upstream).slice(0, mostShared),
      troubles: troubles.slice(0, mostShared),
    }
  }

  /** What others have told. */
  learn(upstream: Upstream, views: SharedUpstream): void {
    this.#state(upstream).learned.replace(Object.values(views))
  }

  /** What is known of an upstream is known of it as it is configured now: one that has moved begins anew. */
  #state(upstream: Upstream): UpstreamState {
    let key = this.#keys.get(upstream)
    if (key === undefined) this.#keys.set(upstream, (key = healthKey(upstream)))
    let state = this.#states.get(key)
    if (state === undefined) this.#states.set(key, (state = new UpstreamState()))
    return state
  }
}

/** What an upstream is known by. Its fixed headers may be secret, and are no part of it. */
export function healthKey({ name, config }: Upstream): string {
  return `${name}@${digestJson({ ...config, headers: {} }).slice(0, 12)}`
}
