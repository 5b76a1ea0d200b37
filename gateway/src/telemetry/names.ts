/**
 * Every name telemetry uses. Follows open-telemetry/semantic-conventions-genai (status Development, manifest schema
 * 1.42.0-dev) for `gen_ai.*` and `mcp.*`, and semantic conventions 1.45.0 for the rest; `turnward.*` is ours. Names
 * are written nowhere else, so that a change of the conventions is a change of this file.
 */

export const instrumentationScope = 'turnward'

export const attributes = {
  operationName: 'gen_ai.operation.name',
  providerName: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  requestStream: 'gen_ai.request.stream',
  responseModel: 'gen_ai.response.model',
  responseId: 'gen_ai.response.id',
  finishReasons: 'gen_ai.response.finish_reasons',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cacheReadTokens: 'gen_ai.usage.cache_read.input_tokens',
  cacheWriteTokens: 'gen_ai.usage.cache_creation.input_tokens',
  tokenType: 'gen_ai.token.type',
  conversationId: 'gen_ai.conversation.id',
  toolName: 'gen_ai.tool.name',
  toolCallId: 'gen_ai.tool.call.id',
  mcpMethod: 'mcp.method.name',
  mcpProtocolVersion: 'mcp.protocol.version',
  errorType: 'error.type',
  serviceName: 'service.name',
  serviceVersion: 'service.version',
  dialect: 'turnward.dialect',
  gateway: 'turnward.gateway',
  upstream: 'turnward.upstream',
  outcome: 'turnward.outcome',
  turnId: 'turnward.turn.id',
  decisionId: 'turnward.decision.id',
  decisionKind: 'turnward.decision.kind',
  decisionVerdict: 'turnward.decision.verdict',
  decisionAction: 'turnward.decision.action',
  decisionSubject: 'turnward.decision.subject',
  decisionRules: 'turnward.decision.rules',
} as const

export const operations = { chat: 'chat', executeTool: 'execute_tool' } as const
export const mcpToolsCall = 'tools/call'

/** Span names: the operation and what it is applied to, nothing of higher cardinality. */
export const spanNames = {
  chat: (model: string) => `chat ${model}`,
  executeTool: (tool: string) => `execute_tool ${tool}`,
  decide: (kind: string) => `decide ${kind}`,
} as const

export const metrics = {
  modelDuration: 'gen_ai.client.operation.duration',
  timeToFirstChunk: 'gen_ai.client.operation.time_to_first_chunk',
  tokenUsage: 'gen_ai.client.token.usage',
  toolDuration: 'mcp.server.operation.duration',
  decisions: 'turnward_decisions_total',
} as const

export const gauges = {
  turnward_sessions: 'Sessions that are tracked now',
  turnward_mcp_servers_ready: 'MCP servers that answer now',
  turnward_audit_pending: 'Decision records that are not on disk yet',
  turnward_config_stale: '1 while the newest configuration was rejected and an older revision runs',
  turnward_config_managed_revision: 'Revision of the objects made over the API that runs; 0: there are none',
  turnward_config_left_out: 'Objects made over the API that do not go with the configuration file and are not used',
  turnward_batches: 'Batches that are being worked on now',
  turnward_upstream_running: 'Calls that are under way at an upstream now',
  turnward_upstream_available: '0 while an upstream is passed over because nobody answers there, else 1',
  turnward_upstream_first_byte_seconds: 'How soon streamed answers of an upstream begin, of its slowest model',
  turnward_cluster_processes: 'Processes of the installation that announce themselves',
  turnward_issuers_unreachable: 'Issuers of tokens whose keys could not be had when they were last asked for',
  turnward_cluster_revisions: 'Revisions of the configuration they run on; more than 1 while they differ',
  turnward_listen_certificate_expires_seconds: 'Unix time in seconds at which the certificate of the listener expires',
} as const

/** What a gauge of several processes together is: the sum of a count, else the one that an operator must look at. */
export const gaugesTogether = {
  turnward_sessions: 'sum',
  turnward_mcp_servers_ready: 'least',
  turnward_audit_pending: 'sum',
  turnward_config_stale: 'most',
  turnward_config_managed_revision: 'least',
  turnward_config_left_out: 'most',
  turnward_batches: 'sum',
  turnward_upstream_running: 'sum',
  turnward_upstream_available: 'least',
  turnward_upstream_first_byte_seconds: 'most',
  turnward_cluster_processes: 'most',
  turnward_issuers_unreachable: 'most',
  turnward_cluster_revisions: 'most',
  turnward_listen_certificate_expires_seconds: 'least',
} as const satisfies Record<keyof typeof gauges, 'sum' | 'least' | 'most'>

export const counters = {
  turnward_audit_failures_total: 'Failures to write the decision log',
  turnward_config_reloads_total: 'Configuration reloads by result',
  turnward_issuer_keys_total: 'Key sets of issuers that were asked for, by what came of it: fetched, failed',
  turnward_auth_failures_total: 'Requests that were not authenticated',
  turnward_upstream_answers_total: 'Exchanges with upstreams, by what they said of the upstream: answered, throttled, broken, unreachable',
  turnward_upstream_failovers_total: 'Model calls that moved to another upstream',
  turnward_upstream_hedges_total: 'Upstreams that were asked beside one that was slow to begin, by what came of it: won, cut_off, failed',
  turnward_unhandled_errors_total: 'Errors that nobody handled, by kind; each is a fault of the gateway',
  turnward_batch_lines_total: 'Lines of batches that have run, by outcome',
  turnward_tool_definitions_total:
    'Definitions of MCP tools that were compared with their pins, by what came of it: first, new, changed, approved',
  turnward_cost_usd_total: 'What model calls have cost in US dollars, by upstream',
  turnward_policy_shadow_total: 'Decisions that the draft beside the policy would have made otherwise, by action and that of the draft',
  turnward_limits_total: 'Calls that met a limit that was used up, by limit and what came of it: refuse, warn, end (of an answer)',
  turnward_cache_total: 'Model calls on routes that keep answers, by whether one was given again: hit, miss, bypass',
  turnward_guards_total: 'Calls in which a guard has found something, by guard, side and what came of it: block, redact, warn, open',
  turnward_guard_held_seconds_total: 'How long guards have held back the beginning of streamed answers, in seconds',
  turnward_guard_held_answers_total: 'Streamed answers whose beginning went past guards',
  turnward_unpriced_calls_total: 'Model calls whose price is not known, by upstream',
  turnward_splices_total: 'Model calls repeated because all their tool calls were refused',
} as const

/** Bucket boundaries the conventions advise. */
export const buckets = {
  modelSeconds: [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
  firstChunkSeconds: [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
  toolSeconds: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300],
  tokens: [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864],
} as const
