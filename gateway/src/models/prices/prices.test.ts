import { calcPrice, findProvider, type Usage } from '@pydantic/genai-prices'
import { priceSchema } from '@turnward/contract/config/prices'
import { upstreamSchema } from '@turnward/contract/config/model-floor'
import type { UsageRecord } from '@turnward/contract/decision'
import fc from 'fast-check'
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import type { ConfiguredPrice, Upstream } from '../../config/snapshot.ts'
import { silentLogger } from '../../core/logger.ts'
import { compileNames } from '../../policy/patterns.ts'
import { noopTelemetry } from '../../telemetry/noop.ts'
import { knownTariff, loadPrices, pricesDate } from './known-prices.ts'
import { Prices } from './prices.ts'
import { priceOf } from './tariff.ts'

const now = Date.parse('2026-10-01T12:00:00Z')
const vendors = { openai: 'openai', anthropic: 'anthropic', google: 'gemini', groq: 'groq', deepseek: 'deepseek', aws: 'bedrock' } as const
const models = Object.entries(vendors).flatMap(([providerId, kind]) =>
  (findProvider({ providerId })?.models ?? []).map(({ id }) => ({ providerId, kind, id })),
)

beforeAll(() => loadPrices())

function upstream(name: string, config: object): Upstream {
  return { name, config: upstreamSchema.parse(config) }
}

function configured(price: object): ConfiguredPrice {
  const rates = priceSchema.parse(price)
  return { models: compileNames(rates.models), upstreams: rates.upstreams === undefined ? undefined : compileNames(rates.upstreams), rates }
}

function watched() {
  const counted: [string, Record<string, string> | undefined, number | undefined][] = []
  const warned: object[] = []
  let time = now
  const telemetry = {
    ...noopTelemetry,
    count: (name: string, labels?: Record<string, string>, amount?: number) => void counted.push([name, labels, amount]),
    logger: { ...silentLogger, warn: (fields: object) => void warned.push(fields) },
  }
  const prices = new Prices({ now: () => time, monotonic: () => time }, telemetry)
  return { prices, counted, warned, pass: (milliseconds: number) => void (time += milliseconds) }
}

const vllm = upstream('house', { kind: 'vllm' })
const openai = upstream('openai', { kind: 'openai' })
const usage: UsageRecord = { inputTokens: 1_000_000, outputTokens: 1_000_000 }

describe('prices that ship with the gateway', () => {
  test('are those of the day that is told', () => {
    const manifest = readFileSync(
      createRequire(import.meta.url)
        .resolve('@pydantic/genai-prices')
        .replace(/dist\/.*$/, 'package.json'),
      'utf8',
    )
    // Whoever takes another release says its day as well.
    expect([(JSON.parse(manifest) as { version: string }).version, pricesDate]).toEqual(['0.1.8', '2026-09-23'])
  })

  test('come to the same as the arithmetic they came with, for every model, long requests and cached ones included', () => {
    expect(models.length).toBeGreaterThan(300)
    const part = fc.integer({ min: 0, max: 400_000 })
    fc.assert(
      fc.property(fc.constantFrom(...models), part, part, part, part, ({ providerId, kind, id }, plain, read, written, output) => {
        const theirs: Usage = {
          input_tokens: plain + read + written,
          cache_read_tokens: read,
          cache_write_tokens: written,
          output_tokens: output,
        }
        const ours = { inputTokens: plain + read + written, cacheReadTokens: read, cacheWriteTokens: written, outputTokens: output }
        const expected = calcPrice(theirs, id, { providerId, timestamp: new Date(now) })
        const tariff = knownTariff(kind, id, now)
        if (expected === null || !('input_mtok' in expected.model_price || 'output_mtok' in expected.model_price))
          return tariff === undefined
        return tariff !== undefined && Math.abs(priceOf(tariff, ours) - expected.total_price) < 1e-9
      }),
      { numRuns: 2000 },
    )
  })

  test('tell what is kept for an hour, and what is thought, apart', () => {
    const claude = knownTariff('anthropic', 'claude-sonnet-4-5', now)
    if (claude === undefined) throw new Error('its price is known')
    const write = { inputTokens: 1000, cacheWriteTokens: 1000, outputTokens: 0 }
    expect(priceOf(claude, write)).toBeCloseTo(0.003_75, 9)
    expect(priceOf(claude, { ...write, cacheWriteLongTokens: 1000 })).toBeCloseTo(0.006, 9)
    // More than the whole is no more than the whole.
    expect(priceOf(claude, { ...write, cacheReadTokens: 5000, cacheWriteLongTokens: 9000 })).toBeCloseTo(0.0003, 9)
    const thinking = priceOf(
      { rates: { input: 1, output: 2, reasoning: 4 }, request: 0, above: [] },
      { inputTokens: 0, outputTokens: 1_000_000, reasoningTokens: 250_000 },
    )
    expect(thinking).toBeCloseTo(2.5, 9)
  })
})

describe('what a call costs', () => {
  test('goes by the name the vendor calls the model, then by the one it was asked by', () => {
    const { prices } = watched()
    const azure = upstream('azure', { kind: 'azure', base_url: 'https://a.openai.azure.com' })
    const cost = prices.costOf([], [{ upstream: azure, models: ['our-deployment', 'gpt-4o-2024-08-06'], usage }])
    expect(cost).toEqual({ amount: 12.5, currency: 'USD', prices: pricesDate })
    expect(prices.costOf([], [{ upstream: openai, models: ['gpt-4o', 'something-else'], usage }]).amount).toBe(12.5)
  })

  test('goes by the first price of the configuration that fits model and upstream', () => {
    const { prices } = watched()
    const own = [
      configured({ models: ['gpt-4o'], upstreams: ['other-*'], input: 100 }),
      configured({
        models: ['gpt-*', 'llama'],
        input: 1,
        output: 2,
        request: 0.5,
        above: [{ input_tokens: 1_999_999, input: 10, output: 20 }],
      }),
      configured({ models: ['gpt-4o'], input: 7 }),
    ]
    expect(prices.costOf(own, [{ upstream: openai, models: ['gpt-4o', undefined], usage }])).toEqual({
      amount: 3.5,
      currency: 'USD',
      prices: 'configuration',
    })
    const long = { inputTokens: 2_000_000, outputTokens: 1_000_000 }
    // Each request has its own length.
    const rounds = [usage, long].map((of) => ({ upstream: vllm, models: ['llama'], usage: of }))
    expect(prices.costOf(own, rounds).amount).toBe(3.5 + 40.5)
  })

  test('is not known of a model nobody knows: it is named, counted and warned about once a day, and nothing is made up', () => {
    const { prices, counted, warned, pass } = watched()
    const ask = () =>
      prices.costOf(
        [],
        [
          { upstream: vllm, models: ['llama', 'llama-3'], usage },
          { upstream: openai, models: ['gpt-4o'], usage },
        ],
      )
    const cost = { amount: 12.5, currency: 'USD', prices: pricesDate, unpriced: ['llama-3'] }
    expect(ask()).toEqual(cost)
    pass(23 * 3600 * 1000)
    expect(ask()).toEqual(cost)
    expect(warned).toEqual([{ upstream: 'house', model: 'llama-3' }])
    pass(3600 * 1000)
    ask()
    expect(warned).toHaveLength(2)
    expect(counted.filter(([name]) => name === 'turnward_unpriced_calls_total')).toHaveLength(3)
    expect(counted.filter(([name]) => name === 'turnward_cost_usd_total')[0]).toEqual([
      'turnward_cost_usd_total',
      { upstream: 'openai' },
      12.5,
    ])
  })
})
