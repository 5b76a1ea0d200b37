/** Metrics of several processes as those of one: counters and histograms are added, gauges as `names.ts` says of each. */
import type { Attributes } from '@opentelemetry/api'
import {
  DataPointType,
  type HistogramMetricData,
  type MetricData,
  type SumMetricData,
  type GaugeMetricData,
} from '@opentelemetry/sdk-metrics'
import { gaugesTogether } from './names.ts'

type Point = MetricData['dataPoints'][number]

/** One list, in the order names first occur. Histograms of one name have the same boundaries everywhere. */
export function addMetrics(parts: readonly (readonly MetricData[])[]): MetricData[] {
  const added = new Map<string, MetricData>()
  for (const metric of parts.flat()) {
    const { name } = metric.descriptor
    const known = added.get(name)
    added.set(name, known === undefined ? metric : addTwo(known, metric))
  }
  return [...added.values()]
}

/** What stays true of a process that is gone: what it counted, not how it was. */
export function lastingOf(metrics: readonly MetricData[]): MetricData[] {
  return metrics.filter(({ dataPointType }) => dataPointType !== DataPointType.GAUGE)
}

function addTwo(a: MetricData, b: MetricData): MetricData {
  if (a.dataPointType === DataPointType.SUM && b.dataPointType === DataPointType.SUM)
    return { ...a, dataPoints: addPoints(a, b, (one, other) => one + other) } satisfies SumMetricData
  if (a.dataPointType === DataPointType.HISTOGRAM && b.dataPointType === DataPointType.HISTOGRAM)
    return { ...a, dataPoints: addPoints(a, b, addHistograms) } satisfies HistogramMetricData
  if (a.dataPointType === DataPointType.GAUGE && b.dataPointType === DataPointType.GAUGE)
    return { ...a, dataPoints: addPoints(a, b, togetherAs(a.descriptor.name)) } satisfies GaugeMetricData
  return a
}

function addPoints<P extends Point>(
  a: { readonly dataPoints: readonly P[] },
  b: { readonly dataPoints: readonly P[] },
  add: (one: P['value'], other: P['value']) => P['value'],
): P[] {
  const points = new Map(a.dataPoints.map((point) => [keyOf(point.attributes), point]))
  for (const point of b.dataPoints) {
    const key = keyOf(point.attributes)
    const known = points.get(key)
    points.set(key, known === undefined ? point : { ...known, value: add(known.value, point.value) })
  }
  return [...points.values()]
}

type HistogramValue = HistogramMetricData['dataPoints'][number]['value']

function addHistograms(one: HistogramValue, other: HistogramValue): HistogramValue {
  const counts = one.buckets.counts.map((count, at) => count + (other.buckets.counts[at] ?? 0))
  return {
    ...one,
    buckets: { boundaries: one.buckets.boundaries, counts },
    sum: (one.sum ?? 0) + (other.sum ?? 0),
    count: one.count + other.count,
  }
}

function togetherAs(name: string): (one: number, other: number) => number {
  const how = Object.hasOwn(gaugesTogether, name) ? gaugesTogether[name as keyof typeof gaugesTogether] : 'sum'
  return how === 'sum' ? (one, other) => one + other : how === 'least' ? Math.min : Math.max
}

function keyOf(attributes: Attributes): string {
  return JSON.stringify(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
