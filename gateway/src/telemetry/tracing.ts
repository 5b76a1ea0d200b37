/** Spans, exported over OTLP/HTTP. The queue and every export are bounded: a dead collector costs spans, never calls. */
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  createTraceState,
  trace,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import type { Resource } from '@opentelemetry/resources'
import { AlwaysOnSampler, BatchSpanProcessor, ParentBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import { errorType } from './instruments.ts'
import { attributes, instrumentationScope, mcpToolsCall, operations, spanNames } from './names.ts'
import { scrubText } from './scrubbing.ts'
import type { CallEnd, DecisionNote, ModelCallStart, ToolCallStart } from './telemetry.ts'
import { formatTraceparent, type TraceContext } from './trace-context.ts'

export interface TracingOptions {
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly resource: Resource
  readonly version: string
}

/** The span of one call and the context it hands on. */
export interface TracedCall {
  readonly traceparent: string
  readonly traceId: string
  decision(note: DecisionNote): void
  end(result: CallEnd): void
}

export interface Tracing {
  modelCall(start: ModelCallStart, parent: TraceContext | undefined): TracedCall
  toolCall(start: ToolCallStart, parent: TraceContext | undefined): TracedCall
  /** Sends what is queued, for at most `exportMs`, and stops. */
  shutdown(): Promise<void>
}

const exportMs = 5000

export function createTracing({ endpoint, headers, resource, version }: TracingOptions): Tracing {
  const exporter = new OTLPTraceExporter({ url: endpoint, headers: { ...headers }, timeoutMillis: exportMs, concurrencyLimit: 2 })
  const provider = new TracerProvider({
    resource,
    // A caller that does not sample its trace does not want ours; without a caller everything is recorded.
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    spanLimits: { attributeValueLengthLimit: 1024, attributeCountLimit: 64 },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        maxQueueSize: 4096,
        maxExportBatchSize: 512,
        scheduledDelayMillis: 2000,
        exportTimeoutMillis: exportMs,
      }),
    ],
  })
  const tracer = provider.getTracer(instrumentationScope, version)
  return {
    modelCall: (start, parent) =>
      traced(tracer, spanNames.chat(start.requestModel.slice(0, 128)), SpanKind.CLIENT, parent, {
        [attributes.operationName]: operations.chat,
        [attributes.requestModel]: start.requestModel,
        [attributes.requestStream]: start.stream,
        [attributes.dialect]: start.dialect,
      }),
    toolCall: (start, parent) =>
      traced(tracer, spanNames.executeTool(start.tool.slice(0, 128)), SpanKind.INTERNAL, parent, {
        [attributes.operationName]: operations.executeTool,
        [attributes.toolName]: start.tool,
        [attributes.mcpMethod]: mcpToolsCall,
        [attributes.mcpProtocolVersion]: start.protocolVersion,
        [attributes.gateway]: start.gateway,
      }),
    shutdown: async () => {
      // The collector may be gone; shutting down must not wait for it longer than one export.
      const limit = new Promise<void>((resolve) => setTimeout(resolve, exportMs).unref())
      await Promise.race([provider.shutdown().catch(() => {}), limit])
    },
  }
}

function traced(tracer: Tracer, name: string, kind: SpanKind, parent: TraceContext | undefined, initial: Attributes): TracedCall {
  const span = tracer.startSpan(name, { kind, attributes: initial }, parentContext(parent))
  const context = span.spanContext()
  return {
    traceparent: formatTraceparent(context.traceId, context.spanId, context.traceFlags),
    traceId: context.traceId,
    decision: (note) => recordDecision(tracer, span, note),
    end: (result) => {
      span.setAttributes(endAttributes(result))
      if (errorType(result) !== undefined) span.setStatus({ code: SpanStatusCode.ERROR })
      span.end()
    },
  }
}

function parentContext(parent: TraceContext | undefined): Context {
  if (parent === undefined) return ROOT_CONTEXT
  const state = parent.tracestate === undefined ? {} : { traceState: createTraceState(parent.tracestate) }
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: parent.traceId,
    spanId: parent.spanId,
    traceFlags: parent.flags & TraceFlags.SAMPLED,
    isRemote: true,
    ...state,
  })
}

/** A decision takes no time worth measuring; its span says that it was taken, and how. */
function recordDecision(tracer: Tracer, call: Span, note: DecisionNote): void {
  if (!call.isRecording()) return
  const child = tracer.startSpan(
    spanNames.decide(note.kind),
    {
      kind: SpanKind.INTERNAL,
      attributes: {
        [attributes.decisionId]: note.decisionId,
        [attributes.decisionKind]: note.kind,
        [attributes.decisionVerdict]: note.verdict,
        [attributes.decisionAction]: note.action,
        [attributes.decisionSubject]: scrubText(note.subject),
        [attributes.decisionRules]: [...note.rules],
        ...(note.turn === null ? {} : { [attributes.turnId]: note.turn }),
      },
    },
    trace.setSpan(ROOT_CONTEXT, call),
  )
  child.end()
}

function endAttributes(end: CallEnd): Attributes {
  const values: Record<string, string | number | string[] | null | undefined> = {
    [attributes.outcome]: end.outcome,
    [attributes.errorType]: errorType(end),
    [attributes.upstream]: end.upstream,
    [attributes.providerName]: end.provider,
    [attributes.responseModel]: end.responseModel,
    [attributes.responseId]: end.responseId,
    [attributes.finishReasons]: end.finish === undefined ? undefined : [end.finish],
    [attributes.inputTokens]: end.usage?.inputTokens,
    [attributes.outputTokens]: end.usage?.outputTokens,
    [attributes.cacheReadTokens]: end.usage?.cacheReadTokens,
    [attributes.cacheWriteTokens]: end.usage?.cacheWriteTokens,
    [attributes.conversationId]: end.session,
    [attributes.turnId]: end.turn,
    [attributes.toolCallId]: end.toolCallId,
  }
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string | number | string[]] => entry[1] !== undefined && entry[1] !== null),
  )
}
