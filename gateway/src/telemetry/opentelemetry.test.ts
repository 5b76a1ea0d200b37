/** Telemetry as an operator meets it: the text Prometheus scrapes and the spans a collector receives. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { telemetrySchema } from '@turnward/contract/config/operations'
import { describe, expect, test } from 'vitest'
import { silentLogger } from '../core/logger.ts'
import { noopTelemetry } from './noop.ts'
import { createTelemetry } from './opentelemetry.ts'
import type { DecisionNote, ModelCallStart, ToolCallStart } from './telemetry.ts'

const callers = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const modelCall: ModelCallStart = {
  requestModel: 'gpt-test',
  dialect: 'chat-completions',
  stream: true,
  traceparent: callers,
  tracestate: 'vendor=1',
}
const toolCall: ToolCallStart = {
  tool: 'mail__send',
  gateway: 'default',
  protocolVersion: '2026-07-28',
  traceparent: undefined,
  tracestate: undefined,
}
const refusal: DecisionNote = {
  kind: 'tool_call',
  verdict: 'deny',
  action: 'refuse',
  subject: 'mail__send',
  rules: ['no-egress'],
  decisionId: 'dec_1',
  turn: 'turn_1',
}
const create = (settings: Record<string, unknown> = {}) =>
  createTelemetry({ settings: telemetrySchema.parse(settings), version: '1.2.3', logger: silentLogger })

describe('metrics', () => {
  test('a model call shows its duration, first chunk, tokens and decisions', async () => {
    const telemetry = await create()
    const call = telemetry.startModelCall(modelCall)
    call.firstByte()
    call.decision({ ...refusal, kind: 'tool_proposal' })
    call.end({ outcome: 'ok', provider: 'openai', responseModel: 'gpt-test-1', usage: { inputTokens: 12, outputTokens: 3 } })
    const text = await telemetry.metricsText()
    expect(text).toMatch(/^gen_ai_client_operation_duration\w*_count\{[^}]*gen_ai_request_model="gpt-test"[^}]*\} 1$/m)
    expect(text).toMatch(/^gen_ai_client_operation_time_to_first_chunk\w*_count\{[^}]*\} 1$/m)
    expect(text).toMatch(/^gen_ai_client_token_usage\w*_sum\{[^}]*gen_ai_token_type="input"[^}]*\} 12$/m)
    expect(text).toMatch(/^gen_ai_client_token_usage\w*_sum\{[^}]*gen_ai_token_type="output"[^}]*\} 3$/m)
    expect(text).toMatch(/^turnward_decisions_total\{kind="tool_proposal",action="refuse"\} 1$/m)
    await telemetry.shutdown()
  })

  test('a tool result flagged as error is `tool_error`', async () => {
    const telemetry = await create()
    telemetry.startToolCall(toolCall).end({ outcome: 'tool_error', errorCode: 'mcp.server_timeout' })
    expect(await telemetry.metricsText()).toMatch(
      /^mcp_server_operation_duration\w*_count\{[^}]*gen_ai_tool_name="mail__send"[^}]*error_type="tool_error"[^}]*\} 1$/m,
    )
  })

  test('a call that is ended twice is counted once', async () => {
    const telemetry = await create()
    const call = telemetry.startToolCall(toolCall)
    call.end({ outcome: 'ok' })
    call.end({ outcome: 'error' })
    const counts = (await telemetry.metricsText()).match(/^mcp_server_operation_duration\w*_count.*$/gm)
    expect(counts).toHaveLength(1)
    expect(counts?.[0]).toMatch(/ 1$/)
  })

  test('counters and gauges have exactly the names other rooms use', async () => {
    const telemetry = await create()
    telemetry.count('turnward_auth_failures_total', { reason: 'unknown_key' })
    telemetry.count('turnward_auth_failures_total', { reason: 'unknown_key' })
    telemetry.count('turnward_splices_total')
    telemetry.observe('turnward_sessions', () => 1)
    telemetry.observe('turnward_sessions', () => 42)
    const text = await telemetry.metricsText()
    expect(text).toMatch(/^turnward_auth_failures_total\{reason="unknown_key"\} 2$/m)
    expect(text).toMatch(/^turnward_splices_total 1$/m)
    expect(text).toMatch(/^turnward_sessions 42$/m)
  })

  test('names from clients cannot make the labels grow without end', async () => {
    const telemetry = await create()
    for (let i = 0; i < 700; i++)
      telemetry.startModelCall({ ...modelCall, requestModel: `made-up-${i}` }).end({ outcome: 'error', errorCode: 'grant.model' })
    const text = await telemetry.metricsText()
    const series = text.match(/^gen_ai_client_operation_duration\w*_count.*$/gm) ?? []
    expect(series).toHaveLength(501)
    expect(series.find((line) => line.includes('gen_ai_request_model="other"'))).toMatch(/ 200$/)
  })

  test('are empty when switched off, and calls still work', async () => {
    const telemetry = await create({ metrics: { enabled: false } })
    telemetry.count('turnward_splices_total')
    telemetry.startModelCall(modelCall).end({ outcome: 'ok' })
    expect(await telemetry.metricsText()).toBe('')
  })
})

describe('trace context', () => {
  test.each([
    ['noop', async () => noopTelemetry],
    ['metrics only', create],
  ])('is passed on unchanged without tracing (%s)', async (_name, make) => {
    const telemetry = await make()
    const call = telemetry.startModelCall(modelCall)
    expect([call.traceparent, call.tracestate, call.traceId]).toEqual([callers, 'vendor=1', '4bf92f3577b34da6a3ce929d0e0e4736'])
  })

  test('that is malformed is dropped whole', async () => {
    const call = (await create()).startModelCall({ ...modelCall, traceparent: `${callers}\r\nx: y` })
    expect([call.traceparent, call.tracestate]).toEqual([undefined, undefined])
  })
})

interface OtlpSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[]
}

describe('spans', () => {
  test('reach the collector with the configured headers, under the trace of the caller', async () => {
    const received: OtlpSpan[] = []
    let seen: IncomingHttpHeaders = {}
    const collector = createServer((request, response) => {
      let body = ''
      seen = request.headers
      request
        .setEncoding('utf8')
        .on('data', (chunk: string) => (body += chunk))
        .on('end', () => {
          const parsed = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[] }
          received.push(...parsed.resourceSpans.flatMap((resource) => resource.scopeSpans.flatMap((scope) => scope.spans)))
          response.setHeader('content-type', 'application/json').end('{}')
        })
    }).listen(0, '127.0.0.1')
    await once(collector, 'listening')
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`
    const telemetry = await create({ traces: { otlp_endpoint: endpoint, headers: { 'x-collector-key': 'k' } } })
    const call = telemetry.startModelCall(modelCall)
    call.decision(refusal)
    call.end({ outcome: 'ok', session: 'ses_1', turn: 'turn_1', usage: { inputTokens: 5 } })
    const tool = telemetry.startToolCall({ ...toolCall, traceparent: call.traceparent })
    tool.end({ outcome: 'refused', errorCode: 'mcp.server_timeout' })
    await telemetry.shutdown()
    collector.close()

    expect(seen['x-collector-key']).toBe('k')
    expect(received.map(({ name }) => name).sort()).toEqual(['chat gpt-test', 'decide tool_call', 'execute_tool mail__send'])
    const named = (name: string) => received.find((span) => span.name === name)
    const chat = named('chat gpt-test')
    expect(new Set(received.map(({ traceId }) => traceId))).toEqual(new Set(['4bf92f3577b34da6a3ce929d0e0e4736']))
    expect(chat?.parentSpanId).toBe('00f067aa0ba902b7')
    expect(named('decide tool_call')?.parentSpanId).toBe(chat?.spanId)
    expect(named('execute_tool mail__send')?.parentSpanId).toBe(chat?.spanId)
    expect(call.traceparent).toBe(`00-${chat?.traceId}-${chat?.spanId}-01`)
    const keys = Object.fromEntries((chat?.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]))
    expect(keys).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.conversation.id': 'ses_1',
      'turnward.turn.id': 'turn_1',
      'gen_ai.usage.input_tokens': 5,
    })
    expect(named('execute_tool mail__send')?.attributes.find(({ key }) => key === 'error.type')?.value).toEqual({
      stringValue: 'mcp.server_timeout',
    })
  })

  test('a collector that refuses connections fails no call and does not keep the gateway from ending', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    closed.close()
    await once(closed, 'close')
    const telemetry = await create({ traces: { otlp_endpoint: `http://127.0.0.1:${port}/v1/traces` } })
    telemetry.startModelCall(modelCall).end({ outcome: 'ok' })
    await expect(telemetry.shutdown()).resolves.toBeUndefined()
  })
})
