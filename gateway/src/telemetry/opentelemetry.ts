/**
 * Telemetry on OpenTelemetry: Prometheus metrics always ready to be scraped, spans when an endpoint is configured.
 * Nothing here may fail a call, and no content of a call is ever reported.
 */
import { resourceFromAttributes } from '@opentelemetry/resources'
import type { Snapshot } from '../config/snapshot.ts'
import type { Clock } from '../core/clock.ts'
import { systemClock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { createInstruments, type Instruments } from './instruments.ts'
import { attributes } from './names.ts'
import type { CallEnd, CallSpan, Telemetry } from './telemetry.ts'
import { parseTraceContext, type TraceContext } from './trace-context.ts'
import type { TracedCall } from './tracing.ts'

export interface TelemetryOptions {
  readonly settings: Snapshot['settings']['telemetry']
  /** Version of the gateway, for `service.version`. */
  readonly version: string
  readonly logger: Logger
  readonly clock?: Clock | undefined
}

/** Telemetry as configured. `metricsText` is empty while metrics are switched off. */
export async function createTelemetry({ settings, version, logger, clock = systemClock }: TelemetryOptions): Promise<Telemetry> {
  const resource = resourceFromAttributes({ [attributes.serviceName]: 'turnward', [attributes.serviceVersion]: version })
  const instruments = settings.metrics.enabled ? createInstruments(resource, version) : undefined
  const { otlp_endpoint: endpoint, headers } = settings.traces
  // The exporter is loaded only where spans are wanted.
  const tracing =
    endpoint === undefined ? undefined : (await import('./tracing.ts')).createTracing({ endpoint, headers, resource, version })
  return {
    logger,
    startModelCall: (start) => {
      const parent = parseTraceContext(start.traceparent, start.tracestate)
      return new RunningCall({
        instruments,
        clock,
        parent,
        traced: tracing?.modelCall(start, parent),
        onFirstByte: (seconds) => {
          if (start.stream) instruments?.firstByte(start, seconds)
        },
        onEnd: (end, seconds) => instruments?.modelCall(start, end, seconds),
      })
    },
    startToolCall: (start) => {
      const parent = parseTraceContext(start.traceparent, start.tracestate)
      return new RunningCall({
        instruments,
        clock,
        parent,
        traced: tracing?.toolCall(start, parent),
        onFirstByte: () => {},
        onEnd: (end, seconds) => instruments?.toolCall(start, end, seconds),
      })
    },
    observe: (name, read) => instruments?.observe(name, read),
    observeEach: (name, label, read) => instruments?.observeEach(name, label, read),
    count: (name, labels, amount) => instruments?.count(name, labels, amount),
    metricsData: () => instruments?.data() ?? [],
    metricsText: async (others) => instruments?.text(others) ?? '',
    shutdown: async () => {
      await tracing?.shutdown()
    },
  }
}

interface CallParts {
  readonly instruments: Instruments | undefined
  readonly clock: Clock
  readonly parent: TraceContext | undefined
  readonly traced: TracedCall | undefined
  readonly onFirstByte: (seconds: number) => void
  readonly onEnd: (end: CallEnd, seconds: number) => void
}

class RunningCall implements CallSpan {
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
  readonly traceId: string | undefined
  readonly #parts: CallParts
  readonly #started: number
  #firstByteSeen = false
  #ended = false

  constructor(parts: CallParts) {
    this.#parts = parts
    this.#started = parts.clock.monotonic()
    // Without tracing we are transparent: the caller's own context goes on unchanged.
    this.traceparent = parts.traced?.traceparent ?? parts.parent?.traceparent
    this.tracestate = parts.parent?.tracestate
    this.traceId = parts.traced?.traceId ?? parts.parent?.traceId
  }

  firstByte(): void {
    if (this.#firstByteSeen || this.#ended) return
    this.#firstByteSeen = true
    this.#parts.onFirstByte(this.#seconds())
  }

  decision(note: Parameters<CallSpan['decision']>[0]): void {
    this.#parts.instruments?.decision(note)
    this.#parts.traced?.decision(note)
  }

  end(result: CallEnd): void {
    // A second end would count the call twice.
    if (this.#ended) return
    this.#ended = true
    this.#parts.onEnd(result, this.#seconds())
    this.#parts.traced?.end(result)
  }

  #seconds(): number {
    return (this.#parts.clock.monotonic() - this.#started) / 1000
  }
}
