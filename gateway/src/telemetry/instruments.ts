/** The metrics of the gateway: what is measured, with which labels. Labels are bounded and never hold a secret or a principal. */
import type { Attributes, Counter } from '@opentelemetry/api'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import type { Resource } from '@opentelemetry/resources'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { BoundedNames } from './bounded-names.ts'
import { attributes, buckets, counters, gauges, instrumentationScope, mcpToolsCall, metrics, operations } from './names.ts'
import type { CallEnd, DecisionNote, ModelCallStart, Telemetry, ToolCallStart } from './telemetry.ts'

type CounterName = Parameters<Telemetry['count']>[0]
type GaugeName = Parameters<Telemetry['observe']>[0]

export interface Instruments {
  firstByte(start: ModelCallStart, seconds: number): void
  modelCall(start: ModelCallStart, end: CallEnd, seconds: number): void
  toolCall(start: ToolCallStart, end: CallEnd, seconds: number): void
  decision(note: DecisionNote): void
  count(name: CounterName, labels: Record<string, string> | undefined): void
  observe(name: GaugeName, read: () => number): void
  /** Prometheus text exposition format 0.0.4. */
  text(): Promise<string>
  shutdown(): Promise<void>
}

const maxCachedLabels = 2000

export function createInstruments(resource: Resource, version: string): Instruments {
  // Only its reader is used: the gateway answers /metrics on its own listener, behind its own rules.
  const reader = new PrometheusExporter({ preventServerStart: true })
  const serializer = new PrometheusSerializer('', false, undefined, false, true)
  const provider = new MeterProvider({ resource, readers: [reader] })
  const meter = provider.getMeter(instrumentationScope, version)
  const histogram = (name: string, unit: string, description: string, boundaries: readonly number[]) => meter.createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: [...boundaries] } })
  const modelDuration = histogram(metrics.modelDuration, 's', 'Duration of model calls', buckets.modelSeconds)
  const timeToFirstChunk = histogram(metrics.timeToFirstChunk, 's', 'Time until the first byte of a streamed answer left for the client', buckets.firstChunkSeconds)
  const tokenUsage = histogram(metrics.tokenUsage, '{token}', 'Tokens used, as reported by the provider', buckets.tokens)
  const toolDuration = histogram(metrics.toolDuration, 's', 'Duration of MCP tool calls', buckets.toolSeconds)
  const decisions = meter.createCounter(metrics.decisions, { description: 'Decisions by kind and enforced action' })
  const counted = new Map<string, Counter>(Object.entries(counters).map(([name, description]) => [name, meter.createCounter(name, { description })]))
  const reads = new Map<GaugeName, () => number>()
  const models = new BoundedNames()
  const tools = new BoundedNames()
  const others = new BoundedNames()

  const cache = new Map<string, Attributes>()
  /** One label object per combination: the SDK hashes an object once per record, and we allocate none. */
  function labels(key: string, make: () => Attributes): Attributes {
    const known = cache.get(key)
    if (known !== undefined) return known
    const made = make()
    if (cache.size < maxCachedLabels) cache.set(key, made)
    return made
  }

  function modelLabels(start: ModelCallStart, end: CallEnd | undefined, tokenType: 'input' | 'output' | undefined): Attributes {
    const model = models.of(start.requestModel)
    const responseModel = end?.responseModel === undefined ? undefined : models.of(end.responseModel)
    const provider = end?.provider
    const error = tokenType === undefined && end !== undefined ? errorType(end) : undefined
    return labels(`m\0${model}\0${responseModel ?? ''}\0${provider ?? ''}\0${error ?? ''}\0${tokenType ?? ''}`, () => ({
      [attributes.operationName]: operations.chat,
      [attributes.requestModel]: model,
      ...(responseModel === undefined ? {} : { [attributes.responseModel]: responseModel }),
      ...(provider === undefined ? {} : { [attributes.providerName]: provider }),
      ...(error === undefined ? {} : { [attributes.errorType]: error }),
      ...(tokenType === undefined ? {} : { [attributes.tokenType]: tokenType }),
    }))
  }

  return {
    firstByte: (start, seconds) => timeToFirstChunk.record(seconds, modelLabels(start, undefined, undefined)),
    modelCall: (start, end, seconds) => {
      modelDuration.record(seconds, modelLabels(start, end, undefined))
      const { inputTokens, outputTokens } = end.usage ?? {}
      if (inputTokens !== undefined) tokenUsage.record(inputTokens, modelLabels(start, end, 'input'))
      if (outputTokens !== undefined) tokenUsage.record(outputTokens, modelLabels(start, end, 'output'))
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
      toolDuration.record(seconds, labels(`t\0${tool}\0${protocol}\0${error ?? ''}`, make))
    },
    decision: ({ kind, action }) => decisions.add(1, labels(`d\0${kind}\0${action}`, () => ({ kind, action: others.of(action) }))),
    count: (name, given) => counted.get(name)?.add(1, given === undefined ? undefined : Object.fromEntries(Object.entries(given).map(([label, value]) => [label, others.of(value)]))),
    observe: (name, read) => {
      const known = reads.has(name)
      reads.set(name, read)
      if (known) return
      meter.createObservableGauge(name, { description: gauges[name] }).addCallback((result) => {
        const value = reads.get(name)?.()
        if (value !== undefined && Number.isFinite(value)) result.observe(value)
      })
    },
    text: async () => serializer.serialize((await reader.collect()).resourceMetrics),
    shutdown: () => provider.shutdown(),
  }
}

/** `error.type`: `tool_error` for a result flagged as error, else our error code, else the outcome; absent on success. */
export function errorType(end: CallEnd): string | undefined {
  if (end.outcome === 'ok') return undefined
  return end.outcome === 'tool_error' ? 'tool_error' : (end.errorCode ?? end.outcome)
}
