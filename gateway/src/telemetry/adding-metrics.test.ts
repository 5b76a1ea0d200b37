/** Metrics of several processes, read as if one had counted everything. */
import { telemetrySchema } from '@turnward/contract/config/operations'
import { DataPointType, type MetricData } from '@opentelemetry/sdk-metrics'
import { expect, test } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { addMetrics, lastingOf } from './adding-metrics.ts'
import { createTelemetry } from './opentelemetry.ts'
import type { gauges } from './names.ts'
import type { Telemetry } from './telemetry.ts'

const create = (): Promise<Telemetry> => createTelemetry({ settings: telemetrySchema.parse({}), version: '1', logger: silentLogger })

/** What one process has counted. */
async function counted(use: (telemetry: Telemetry) => void): Promise<readonly MetricData[]> {
  const telemetry = await create()
  use(telemetry)
  const metrics = telemetry.metricsData()
  await telemetry.shutdown()
  // As it comes over a link.
  return JSON.parse(JSON.stringify(metrics)) as readonly MetricData[]
}

const points = (metrics: readonly MetricData[], name: string): unknown[] =>
  metrics.filter(({ descriptor }) => descriptor.name === name).flatMap(({ dataPoints }) => dataPoints.map(({ value }) => value))

const call = (telemetry: Telemetry, model: string, inputTokens: number): void =>
  telemetry
    .startModelCall({ requestModel: model, dialect: 'messages', stream: false, traceparent: undefined, tracestate: undefined })
    .end({ outcome: 'ok', provider: 'p', responseModel: model, usage: { inputTokens, outputTokens: 0 } })

test('counters are added where their labels are the same, and stand side by side where they are not', async () => {
  const one = await counted((telemetry) => telemetry.count('turnward_unhandled_errors_total', { kind: 'a' }))
  const two = await counted((telemetry) => {
    telemetry.count('turnward_unhandled_errors_total', { kind: 'a' })
    telemetry.count('turnward_unhandled_errors_total', { kind: 'b' })
  })
  const added = addMetrics([one, two])
  const found = added.find(({ descriptor }) => descriptor.name === 'turnward_unhandled_errors_total')
  expect(found?.dataPoints.map(({ attributes, value }) => [attributes['kind'], value])).toEqual([
    ['a', 2],
    ['b', 1],
  ])
  expect(new Set(added.map(({ descriptor }) => descriptor.name)).size).toBe(added.length)
})

test('histograms are those of one process that made all the calls', async () => {
  const one = (telemetry: Telemetry): void => {
    call(telemetry, 'm', 3)
    call(telemetry, 'm', 5000)
  }
  const two = (telemetry: Telemetry): void => {
    call(telemetry, 'm', 3)
    call(telemetry, 'other', 70)
  }
  const tokens = 'gen_ai.client.token.usage'
  const together = points(
    await counted((telemetry) => {
      one(telemetry)
      two(telemetry)
    }),
    tokens,
  ) as { min?: number; max?: number }[]
  const added = points(addMetrics([await counted(one), await counted(two)]), tokens)
  expect(together.length).toBeGreaterThan(1)
  expect(added).toHaveLength(together.length)
  for (const value of together) {
    const { min: _min, max: _max, ...rest } = value
    expect(added).toContainEqual(expect.objectContaining(rest))
  }
})

test('a gauge is the sum of a count, else the one an operator must look at', async () => {
  const of = (values: Partial<Record<keyof typeof gauges, number>>) =>
    counted((telemetry) => {
      for (const [name, value] of Object.entries(values)) telemetry.observe(name as keyof typeof gauges, () => value)
    })
  const names = ['turnward_sessions', 'turnward_mcp_servers_ready', 'turnward_config_stale'] as const
  const added = addMetrics([
    await of({ turnward_sessions: 2, turnward_mcp_servers_ready: 3, turnward_config_stale: 0 }),
    await of({ turnward_sessions: 5, turnward_mcp_servers_ready: 1, turnward_config_stale: 1 }),
  ])
  expect(names.map((name) => points(added, name))).toEqual([[7], [1], [1]])
})

test('of a process that is gone its counts stay, and its gauges do not', async () => {
  const metrics = await counted((telemetry) => {
    telemetry.count('turnward_config_reloads_total')
    call(telemetry, 'm', 1)
    telemetry.observe('turnward_sessions', () => 4)
  })
  expect(points(metrics, 'turnward_sessions')).toEqual([4])
  const lasting = lastingOf(metrics)
  expect(lasting.map(({ dataPointType }) => dataPointType)).not.toContain(DataPointType.GAUGE)
  expect(points(lasting, 'turnward_config_reloads_total')).toEqual([1])
  expect(points(lasting, 'gen_ai.client.token.usage')).toHaveLength(points(metrics, 'gen_ai.client.token.usage').length)
})
