/** What one process has found out about one upstream. */
import { BoundedMap } from '../../core/bounded-map.ts'
import { Breaker } from './breaker.ts'
import { LearnedHealth } from './learned-health.ts'
import { PeakLatency } from './peak-latency.ts'
import { RetryBudget } from './retry-budget.ts'

/**
 * Why a place is passed over, and until when (Unix milliseconds). `unreachable`: nobody answers. `failing`: a model of it gives no
 * good answer. `throttled`: a credential has used up its limits.
 */
export interface Trouble {
  readonly kind: 'unreachable' | 'failing' | 'throttled'
  readonly why: string
  readonly until: number
}

/** Clients name models, so what is kept of them is bounded. */
const mostModels = 256
const mostCredentials = 64

export class ModelHealth {
  readonly breaker = new Breaker()
  /** When its breaker opened (Unix milliseconds), where that was for what the upstream has said. */
  saidSince: number | undefined
  /** When it answered last (Unix milliseconds). */
  answeredAt = 0
  /** By credential: a limit is that of whoever is asked for. */
  readonly cooldowns = new BoundedMap<string, Trouble>({ most: mostCredentials })
  readonly streamed = new PeakLatency()
  readonly whole = new PeakLatency()
  /** The latest end of any cooldown. */
  cooldownUntil = 0
}

export class UpstreamState {
  readonly reach = new Breaker()
  readonly models = new BoundedMap<string, ModelHealth>({ most: mostModels })
  readonly budget = new RetryBudget()
  /** What other processes know of it. */
  readonly learned = new LearnedHealth()
  running = 0
  /** Something has happened since others were told. */
  isActive = false

  model(name: string): ModelHealth {
    let known = this.models.get(name)
    if (known === undefined) this.models.set(name, (known = new ModelHealth()))
    return known
  }
}
