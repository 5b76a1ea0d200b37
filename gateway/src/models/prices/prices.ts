/** What calls cost: by the prices of the configuration where one fits, by those that ship with the gateway otherwise. */
import type { CostRecord, UsageRecord } from '@turnward/contract/decision'
import type { ConfiguredPrice, Upstream } from '../../config/snapshot.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'
import type { Telemetry } from '../../telemetry/telemetry.ts'
import { hasKnownPrices, knownTariff, loadPrices, needsLoading, pricesDate } from './known-prices.ts'
import { priceOf, type Rates, type Tariff } from './tariff.ts'

/** One request to an upstream, and what it reported. */
export interface PricedRound {
  readonly upstream: Upstream
  /** The model: as it was sent, then as the upstream calls it. */
  readonly models: readonly (string | undefined)[]
  readonly usage: UsageRecord
}

/** Some prices hold at some hours only, so what is known of them is looked at again each minute. */
const minuteMs = 60_000
const dayMs = 24 * 3600 * 1000

export class Prices {
  readonly #clock: Clock
  readonly #telemetry: Pick<Telemetry, 'count' | 'logger'>
  readonly #known = new BoundedMap<string, Tariff | null>({ most: 1000 })
  readonly #warned = new BoundedMap<string, true>({ most: 1000 })

  constructor(clock: Clock, telemetry: Pick<Telemetry, 'count' | 'logger'>) {
    this.#clock = clock
    this.#telemetry = telemetry
  }

  /** Loads the prices if those of such an upstream are among them; undefined when there is nothing to wait for. Never rejects. */
  ready({ config }: Upstream): Promise<void> | undefined {
    if (!needsLoading(config.kind)) return undefined
    return loadPrices().catch((error: unknown) => this.#telemetry.logger.error({ err: error }, 'the prices of models could not be loaded'))
  }

  /** Whether prices that ship with the gateway are those of such an upstream. */
  knows({ config }: Upstream): boolean {
    return hasKnownPrices(config.kind)
  }

  /** What these requests cost together. Models without a price are named, counted and warned about once a day; nothing else depends on them. */
  costOf(configured: readonly ConfiguredPrice[], rounds: readonly PricedRound[]): CostRecord {
    let amount = 0
    let isKnown = false
    const unpriced = new Set<string>()
    for (const round of rounds) {
      const own = configuredTariff(configured, round)
      const tariff = own ?? this.#knownTariff(round)
      if (tariff === undefined) {
        unpriced.add(nameOf(round))
        this.#note(round)
        continue
      }
      isKnown ||= own === undefined
      const price = priceOf(tariff, round.usage)
      amount += price
      if (price > 0) this.#telemetry.count('turnward_cost_usd_total', { upstream: round.upstream.name }, price)
    }
    return {
      amount: rounded(amount),
      currency: 'USD',
      prices: isKnown || unpriced.size > 0 ? pricesDate : 'configuration',
      ...(unpriced.size > 0 ? { unpriced: [...unpriced] } : {}),
    }
  }

  /** What a request to this upstream would be priced by; undefined when nobody knows. */
  tariffOf(configured: readonly ConfiguredPrice[], round: Omit<PricedRound, 'usage'>): Tariff | undefined {
    return configuredTariff(configured, round) ?? this.#knownTariff(round)
  }

  /** The vendor's own name says more than the one it was asked by, which may be that of a deployment. */
  #knownTariff({ upstream, models }: Omit<PricedRound, 'usage'>): Tariff | undefined {
    for (const model of models.toReversed()) {
      const found = model === undefined ? undefined : this.#lookUp(upstream, model)
      if (found !== undefined) return found
    }
    return undefined
  }

  #lookUp({ config: { kind } }: Upstream, model: string): Tariff | undefined {
    const key = `${kind}\0${model}`
    const now = this.#clock.now()
    const before = this.#known.get(key, now)
    if (before !== undefined) return before ?? undefined
    const tariff = knownTariff(kind, model, now)
    this.#known.set(key, tariff ?? null, { expires: now + minuteMs })
    return tariff
  }

  #note(round: PricedRound): void {
    const { name } = round.upstream
    const model = nameOf(round)
    this.#telemetry.count('turnward_unpriced_calls_total', { upstream: name })
    const now = this.#clock.now()
    if (this.#warned.get(`${name}\0${model}`, now) !== undefined) return
    this.#warned.set(`${name}\0${model}`, true, { expires: now + dayMs })
    this.#telemetry.logger.warn(
      { upstream: name, model },
      'no price is known of this model: what it costs is not counted. `prices` can say it',
    )
  }
}

function configuredTariff(configured: readonly ConfiguredPrice[], { upstream, models }: Omit<PricedRound, 'usage'>): Tariff | undefined {
  const found = configured.find(
    (one) =>
      (one.upstreams === undefined || one.upstreams.matches(upstream.name)) &&
      models.some((model) => model !== undefined && one.models.matches(model)),
  )
  return found === undefined ? undefined : tariffOfRates(found.rates)
}

/** Made once for each revision of the configuration. */
const tariffs = new WeakMap<ConfiguredPrice['rates'], Tariff>()

function tariffOfRates(configured: ConfiguredPrice['rates']): Tariff {
  let tariff = tariffs.get(configured)
  if (tariff === undefined) tariffs.set(configured, (tariff = tariffMadeOf(configured)))
  return tariff
}

function tariffMadeOf({ request, above, ...rates }: ConfiguredPrice['rates']): Tariff {
  return {
    rates: ratesOf(rates),
    request,
    above: above.toSorted((a, b) => b.input_tokens - a.input_tokens).map((one) => ({ inputTokens: one.input_tokens, rates: ratesOf(one) })),
  }
}

type ConfiguredRates = Pick<ConfiguredPrice['rates'], 'input' | 'output' | 'cache_read' | 'cache_write' | 'cache_write_long' | 'reasoning'>

function ratesOf(rates: ConfiguredRates): Rates {
  return {
    input: rates.input,
    output: rates.output,
    cacheRead: rates.cache_read,
    cacheWrite: rates.cache_write,
    cacheWriteLong: rates.cache_write_long,
    reasoning: rates.reasoning,
  }
}

/** Models can have any name a vendor says; a record has some of it. */
function nameOf({ models }: PricedRound): string {
  return (models.findLast((model) => model !== undefined && model !== '') ?? '').slice(0, 100)
}

function rounded(dollars: number): number {
  return Math.round(dollars * 1e9) / 1e9
}
