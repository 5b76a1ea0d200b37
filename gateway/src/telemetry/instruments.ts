/** The metrics of the gateway: what is measured, with which labels. Labels are bounded and never hold a secret or a principal. */
import type { Attributes } from '@opentelemetry/api'
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import type { Resource } from '@opentelemetry/resources'
import type { MetricData } from '@opentelemetry/sdk-metrics'
import { addMetrics } from './adding-metrics.ts'
import { BoundedNames } from './bounded-names.ts'
import { Counter, gaugeData, type GaugeReadings, Histogram } from './cells.ts'
import { attributes, buckets, counters, gauges, instrumentationScope, mcpToolsCall, metrics, operations } from './names.ts'
import type { CallEnd, DecisionNote, ModelCallStart, Telemetry, ToolCallStart } from './telemetry.ts'

type CounterName = Parameters<Telemetry['count']>[0]
type GaugeName = Parameters<Telemetry['observe']>[0]

export interface Instruments {
  firstByte(start: ModelCallStart, seconds: number): void
  modelCall(start: ModelCallStart, end: CallEnd, seconds: number): void
  toolCall(start: ToolCallStart, end: CallEnd, seconds: number): void
  decision(note: DecisionNote): void
  count(name: CounterName, labels: Record<string, string> | undefined, amount?: number): void
  observe(name: GaugeName, read: () => number): void
  observeEach(name: GaugeName, label: string, read: () => Iterable<readonly [string, number]>): void
  data(): MetricData[]
  /** Prometheus text exposition format 0.0.4, with what others have measured. */
  text(others?: readonly (readonly MetricData[])[]): string
}

export function createInstruments(resource: Resource, version: string): Instruments {
  const serializer = new PrometheusSerializer('', false, undefined, false, true)
  const modelDuration = new Histogram(
    { name: metrics.modelDuration, unit: 's', description: 'Duration of model calls' },
    buckets.modelSeconds,
  )
  const timeToFirstChunk = new Histogram(
    { name: metrics.timeToFirstChunk, unit: 's', description: 'Time until the first byte of a streamed answer left for the client' },
    buckets.firstChunkSeconds,
  )
  const tokenUsage = new Histogram(
    { name: metrics.tokenUsage, unit: '{token}', description: 'Tokens used, as reported by the provider' },
    buckets.tokens,
  )
  const toolDuration = new Histogram(
    { name: metrics.toolDuration, unit: 's', description: 'Duration of MCP tool calls' },
    buckets.toolSeconds,
  )
  const decisions = new Counter({ name: metrics.decisions, description: 'Decisions by kind and enforced action' })
  const counted = new Map(Object.entries(counters).map(([name, description]) => [name, new Counter({ name, description })]))
  const reads = new Map<GaugeName, () => GaugeReadings>()
  const models = new BoundedNames()
  const tools = new BoundedNames()
  const others = new BoundedNames()

  function modelLabels(model: string, responseModel: string | undefined, provider: string | undefined): Attributes {
    return {
      [attributes.operationName]: operations.chat,
      [attributes.requestModel]: model,
      ...(responseModel === undefined ? {} : { [attributes.responseModel]: responseModel }),
      ...(provider === undefined ? {} : { [attributes.providerName]: provider }),
    }
  }

  return {
    firstByte: (start, seconds) => {
      const model = models.of(start.requestModel)
      timeToFirstChunk.cell(model, () => modelLabels(model, undefined, undefined)).record(seconds)
    },
    modelCall: (start, end, seconds) => {
      const model = models.of(start.requestModel)
      const responseModel = end.responseModel === undefined ? undefined : models.of(end.responseModel)
      const key = `${model}\0${responseModel ?? ''}\0${end.provider ?? ''}\0`
      const error = errorType(end)
      const labels = (): Attributes => modelLabels(model, responseModel, end.provider)
      modelDuration
        .cell(error === undefined ? key : key + error, () => ({
          ...labels(),
          ...(error === undefined ? {} : { [attributes.errorType]: error }),
        }))
        .record(seconds)
      const { inputTokens, outputTokens } = end.usage ?? {}
      if (inputTokens !== undefined)
        tokenUsage.cell(`${key}i`, () => ({ ...labels(), [attributes.tokenType]: 'input' })).record(inputTokens)
      if (outputTokens !== undefined)
        tokenUsage.cell(`${key}o`, () => ({ ...labels(), [attributes.tokenType]: 'output' })).record(outputTokens)
    },
    toolCall: (start, end, seconds) => {
      const tool = tools.of(start.tool)
      const protocol = others.of(start.protocolVersion)
      const error = errorType(end)
      const make = () => ({
        [attributes.mcpMethod]: mcpToolsCall,
        [attributes.toolName]: tool,
        [attributes.mcpProtocolVersion]: protocol,
        ...(error === undefined ? {} : { [attributes.errorType]: error }),
      })
      toolDuration.cell(`${tool}\0${protocol}\0${error ?? ''}`, make).record(seconds)
    },
    decision: ({ kind, action }) => {
      decisions.cell(`${kind}\0${action}`, () => ({ kind, action: others.of(action) })).value += 1
    },
    count: (name, given = {}, amount = 1) => {
      const labels = Object.entries(given).map(([label, value]): [string, string] => [label, others.of(value)])
      const cell = counted.get(name)?.cell(`${name}\0${labels.join('\0')}`, () => Object.fromEntries(labels))
      if (cell !== undefined) cell.value += amount
    },
    observe: (name, read) => {
      reads.set(name, () => [{ attributes: {}, value: read() }])
    },
    observeEach: (name, label, read) => {
      reads.set(name, () => [...read()].map(([of, value]) => ({ attributes: { [label]: others.of(of) }, value })))
    },
    data,
    text: (others) => {
      const scope = { name: instrumentationScope, version }
      const all = others === undefined ? data() : addMetrics([data(), ...others])
      return serializer.serialize({ resource, scopeMetrics: [{ scope, metrics: all }] })
    },
  }

  function data(): MetricData[] {
    const read = [...reads].map(([name, readings]) => ({ name, readings: readings().filter(({ value }) => Number.isFinite(value)) }))
    const all = [
      ...[modelDuration, timeToFirstChunk, tokenUsage, toolDuration, decisions, ...counted.values()].map((instrument) => instrument.data()),
      ...read.map(({ name, readings }) => gaugeData({ name, description: gauges[name] }, readings)),
    ]
    return all.filter(({ dataPoints }) => dataPoints.length > 0)
  }
}

/** `error.type`: `tool_error` for a result flagged as error, else our error code, else the outcome; absent on success. */
export function errorType(end: CallEnd): string | undefined {
  if (end.outcome === 'ok') return undefined
  return end.outcome === 'tool_error' ? 'tool_error' : (end.errorCode ?? end.outcome)
}
