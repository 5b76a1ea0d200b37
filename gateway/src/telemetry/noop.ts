/** Telemetry that reports nothing, for tests and one-off commands. It still hands a caller's trace context on. */
import { silentLogger } from '../core/logger.ts'
import type { CallSpan, Telemetry } from './telemetry.ts'
import { parseTraceContext } from './trace-context.ts'

export const noopTelemetry: Telemetry = {
  logger: silentLogger,
  startModelCall: passOn,
  startToolCall: passOn,
  observe() {},
  observeEach() {},
  count() {},
  metricsData: () => [],
  metricsText: async () => '',
  shutdown: async () => {},
}

function passOn(start: { readonly traceparent: string | undefined; readonly tracestate: string | undefined }): CallSpan {
  const caller = parseTraceContext(start.traceparent, start.tracestate)
  return {
    traceparent: caller?.traceparent,
    tracestate: caller?.tracestate,
    traceId: caller?.traceId,
    firstByte() {},
    decision() {},
    end() {},
  }
}
