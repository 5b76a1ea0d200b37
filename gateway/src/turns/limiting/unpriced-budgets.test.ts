import { configSchema } from '@turnward/contract/config'
import { expect, test } from 'vitest'
import { compileSnapshot } from '../../config/compile.ts'
import { systemClock } from '../../core/clock.ts'
import { Prices } from '../../models/prices/prices.ts'
import { noopTelemetry } from '../../telemetry/noop.ts'
import { unpricedBudgets } from './unpriced-budgets.ts'

const house = { kind: 'vllm', base_url: 'http://127.0.0.1:9/v1', credential: 'none' }
const vendor = { kind: 'openai', base_url: 'http://127.0.0.1:9/v1', credential: 'none' }
const budget = { name: 'budget', count: 'cost', limit: 1, window: '1d' }

async function met(parts: object): Promise<readonly string[]> {
  const config = configSchema.parse({ upstreams: { house, vendor }, ...parts })
  const found = await unpricedBudgets(compileSnapshot(config, { files: [], dataDir: '/tmp' }), new Prices(systemClock, noopTelemetry))
  return found.map(({ limit, model, upstream, isRefused }) => `${limit}: ${model} at ${upstream}${isRefused ? ', refused' : ''}`)
}

test('a budget meets each model without a price at each upstream it may be sent to', async () => {
  const routes = [
    { model: 'gpt-4o', upstreams: ['vendor', { upstream: 'house', model: 'llama-3' }] },
    { model: 'mine', upstreams: ['vendor'] },
    { model: 'smart', match: { groups: ['staff'] }, upstreams: [{ upstream: 'vendor', model: 'gpt-4o' }], on_context_length: 'house' },
    { model: 'smart', upstreams: [{ upstream: 'vendor', model: 'gpt-4o' }] },
  ]
  const limits = { rules: [budget, { name: 'count', count: 'tokens', limit: 1, window: '1d' }] }
  const groups = { staff: {} }
  expect(await met({ routes, limits, groups })).toEqual(['budget: gpt-4o at house', 'budget: mine at vendor', 'budget: smart at house'])
  const prices = [{ models: ['llama-*', 'smart'], upstreams: ['house'], input: 1, output: 1 }]
  expect(await met({ routes, limits, groups, prices })).toEqual(['budget: mine at vendor'])
})

test('what a pattern stands for is named where its route does, and is the pattern where nothing there has a price', async () => {
  const routes = [
    { model: 'gpt-*', models: ['gpt-4o', 'gpt-mine'], upstreams: ['vendor'] },
    { model: 'o*', upstreams: ['vendor'] },
    { model: 'llama-*', upstreams: ['house'] },
  ]
  expect(await met({ routes, limits: { rules: [budget] } })).toEqual(['budget: gpt-mine at vendor', 'budget: llama-* at house'])
})

test('only models and upstreams that the budget is about count, and one that only warns refuses nothing', async () => {
  const routes = [{ model: 'mine', upstreams: ['vendor', 'house'] }]
  const rules = [
    { ...budget, name: 'others', match: { models: ['gpt-*'] } },
    { ...budget, name: 'there', match: { upstreams: ['house'] } },
    { ...budget, name: 'soft', match: { models: ['mi*'], upstreams: ['vendor'] }, action: 'warn' },
  ]
  expect(await met({ routes, limits: { rules, unpriced: 'refuse' } })).toEqual(['soft: mine at vendor', 'there: mine at house, refused'])
  expect(await met({ routes, limits: { rules: [] } })).toEqual([])
})
