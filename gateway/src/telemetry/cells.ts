/**
 * Counting on the way of every call: one cell per combination of labels, found once and only added to afterwards. The
 * OpenTelemetry SDK hashes the labels of every single record, which costs as much as deciding a call; its data model is
 * what a cell is read into.
 */
import { ValueType, type Attributes } from '@opentelemetry/api'
import {
  AggregationTemporality,
  DataPointType,
  type GaugeMetricData,
  type HistogramMetricData,
  type SumMetricData,
} from '@opentelemetry/sdk-metrics'

export interface Description {
  readonly name: string
  readonly unit?: string
  readonly description: string
}

/** Beyond this many combinations of labels of one metric, all others count together, as the SDK does it. */
const mostCells = 2000
const overflow: Attributes = { 'otel.metric.overflow': true }

class Cells<Cell extends { readonly attributes: Attributes }> {
  readonly #cells = new Map<string, Cell>()
  readonly #make: (attributes: Attributes) => Cell

  constructor(make: (attributes: Attributes) => Cell) {
    this.#make = make
  }

  get all(): readonly Cell[] {
    return [...this.#cells.values()]
  }

  of(key: string, attributes: () => Attributes): Cell {
    const known = this.#cells.get(key)
    if (known !== undefined) return known
    const isFull = this.#cells.size >= mostCells
    if (isFull && key !== '') return this.of('', () => overflow)
    const made = this.#make(attributes())
    this.#cells.set(key, made)
    return made
  }
}

export class CounterCell {
  readonly attributes: Attributes
  value = 0

  constructor(attributes: Attributes) {
    this.attributes = attributes
  }
}

export class Counter {
  readonly #description: Description
  readonly #cells = new Cells((attributes) => new CounterCell(attributes))

  constructor(description: Description) {
    this.#description = description
  }

  /** The cell of these labels; `key` stands for them and is not empty. */
  cell(key: string, attributes: () => Attributes): CounterCell {
    return this.#cells.of(key, attributes)
  }

  data(): SumMetricData {
    const dataPoints = this.#cells.all.map(({ attributes, value }) => ({ startTime, endTime: startTime, attributes, value }))
    return { ...common(this.#description), dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
  }
}

export class HistogramCell {
  readonly attributes: Attributes
  /** Values up to each boundary, and those above the last. */
  readonly counts: number[]
  readonly #boundaries: readonly number[]
  sum = 0
  count = 0

  constructor(attributes: Attributes, boundaries: readonly number[]) {
    this.attributes = attributes
    this.#boundaries = boundaries
    this.counts = Array.from({ length: boundaries.length + 1 }, () => 0)
  }

  /** What is no number or below zero is not counted: one such value would spoil the sum for ever. */
  record(value: number): void {
    if (!(value >= 0)) return
    let bucket = 0
    while (bucket < this.#boundaries.length && value > (this.#boundaries[bucket] as number)) bucket += 1
    this.counts[bucket] = (this.counts[bucket] as number) + 1
    this.sum += value
    this.count += 1
  }
}

export class Histogram {
  readonly #description: Description
  readonly #boundaries: readonly number[]
  readonly #cells: Cells<HistogramCell>

  constructor(description: Description, boundaries: readonly number[]) {
    this.#description = description
    this.#boundaries = boundaries
    this.#cells = new Cells((attributes) => new HistogramCell(attributes, boundaries))
  }

  /** The cell of these labels; `key` stands for them and is not empty. */
  cell(key: string, attributes: () => Attributes): HistogramCell {
    return this.#cells.of(key, attributes)
  }

  data(): HistogramMetricData {
    const boundaries = [...this.#boundaries]
    const dataPoints = this.#cells.all.map(({ attributes, counts, sum, count }) => {
      return { startTime, endTime: startTime, attributes, value: { buckets: { boundaries, counts: [...counts] }, sum, count } }
    })
    return { ...common(this.#description), dataPointType: DataPointType.HISTOGRAM, dataPoints }
  }
}

/** What a gauge reads, by its labels. */
export type GaugeReadings = readonly { readonly attributes: Attributes; readonly value: number }[]

/** A gauge as it reads now. */
export function gaugeData(description: Description, readings: GaugeReadings): GaugeMetricData {
  return {
    ...common(description),
    dataPointType: DataPointType.GAUGE,
    dataPoints: readings.map(({ attributes, value }) => ({ startTime, endTime: startTime, attributes, value })),
  }
}

/** Times of points are not written: whoever scrapes has a clock. */
const startTime: [number, number] = [0, 0]

function common({ name, unit = '', description }: Description) {
  return { descriptor: { name, unit, description, valueType: ValueType.DOUBLE }, aggregationTemporality: AggregationTemporality.CUMULATIVE }
}
