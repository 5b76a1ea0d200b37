/** What the pipelines report about themselves. Names of spans, attributes and metrics live in `names.ts` only. */
import type { MetricData } from '@opentelemetry/sdk-metrics'
import type { UsageRecord } from '@turnward/contract/decision'
import type { Logger } from '../core/logger.ts'
import type { gauges } from './names.ts'

export interface ModelCallStart {
  readonly requestModel: string
  readonly dialect: string
  readonly stream: boolean
  /** W3C `traceparent` / `tracestate` of the caller, if any. */
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
}

export interface ToolCallStart {
  /** `server__tool`. */
  readonly tool: string
  readonly gateway: string
  readonly protocolVersion: string
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
}

export interface CallEnd {
  readonly outcome: 'ok' | 'error' | 'tool_error' | 'cancelled' | 'timeout' | 'refused' | 'asked' | 'task'
  readonly errorCode?: string | undefined
  readonly upstream?: string | undefined
  /** `openai`, `anthropic`, … for `gen_ai.provider.name`. */
  readonly provider?: string | undefined
  readonly responseModel?: string | undefined
  readonly responseId?: string | undefined
  readonly finish?: string | undefined
  readonly usage?: UsageRecord | undefined
  readonly session?: string | null | undefined
  readonly turn?: string | null | undefined
  readonly toolCallId?: string | undefined
}

export interface DecisionNote {
  readonly kind:
    | 'model_call'
    | 'token_count'
    | 'model_operation'
    | 'tool_proposal'
    | 'tool_call'
    | 'resource_read'
    | 'prompt_get'
    | 'completion'
    | 'task_update'
    | 'task_cancel'
    | 'tool_list'
    | 'admission'
    | 'authentication'
    | 'approval'
    | 'stop'
    | 'configuration'
  readonly verdict: string
  readonly action: string
  readonly subject: string
  readonly rules: readonly string[]
  readonly decisionId: string
  readonly turn: string | null
}

/** One running call. `end` is called exactly once. */
export interface CallSpan {
  /** Context to send to the next hop; the caller's own is passed on when tracing is off. */
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
  readonly traceId: string | undefined
  /** First byte of the answer left for the client. */
  firstByte(): void
  decision(note: DecisionNote): void
  end(result: CallEnd): void
}

export interface Telemetry {
  readonly logger: Logger
  startModelCall(start: ModelCallStart): CallSpan
  startToolCall(start: ToolCallStart): CallSpan
  /** Gauges read when scraped: name in `names.ts`, value now. */
  observe(name: keyof typeof gauges, read: () => number): void
  /** The same for each value of a label. */
  observeEach(name: keyof typeof gauges, label: string, read: () => Iterable<readonly [string, number]>): void
  count(
    name:
      | 'turnward_audit_failures_total'
      | 'turnward_config_reloads_total'
      | 'turnward_auth_failures_total'
      | 'turnward_upstream_answers_total'
      | 'turnward_upstream_failovers_total'
      | 'turnward_upstream_hedges_total'
      | 'turnward_splices_total'
      | 'turnward_tool_definitions_total'
      | 'turnward_issuer_keys_total'
      | 'turnward_batch_lines_total'
      | 'turnward_limits_total'
      | 'turnward_policy_shadow_total'
      | 'turnward_cache_total'
      | 'turnward_guards_total'
      | 'turnward_guard_held_seconds_total'
      | 'turnward_guard_held_answers_total'
      | 'turnward_unpriced_calls_total'
      | 'turnward_cost_usd_total'
      | 'turnward_unhandled_errors_total',
    labels?: Record<string, string>,
    /** Default: 1. */
    amount?: number,
  ): void
  /** All metrics now, as plain JSON, for another process to add to its own. */
  metricsData(): readonly MetricData[]
  /** Prometheus text exposition of what is measured here, with what other processes have measured. */
  metricsText(others?: readonly (readonly MetricData[])[]): Promise<string>
  shutdown(): Promise<void>
}
