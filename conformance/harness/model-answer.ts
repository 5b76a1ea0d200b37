/** What a model says, in no vendor's words, and the reply a vendor makes of it for one request. */
import { message, messageEvents } from './anthropic-wire.ts'
import { chunkFrames, converseFrames, converseMessage, eventStreamHeaders } from './converse-wire.ts'
import { geminiError, geminiEvents, geminiReply, isGemini } from './gemini-wire.ts'
import { chatCompletion, chatCompletionEvents } from './openai-wire.ts'
import { response, responseEvents } from './responses-wire.ts'
import type { VendorReply, VendorRequest } from './vendor.ts'

export interface ProposedCall {
  readonly id: string
  readonly name: string
  /** Arguments; text is sent as it is where the dialect carries text. */
  readonly args?: object | string
}

export interface ModelAnswer {
  /** Undefined: the vendor sends null, or no text block. */
  readonly text?: string
  readonly calls?: readonly ProposedCall[]
  /** Messages and responses only. */
  readonly thinking?: { readonly text: string; readonly signature: string }
  /** Messages and responses only: what the vendor's own search was asked before anything was said. */
  readonly searched?: string
  readonly finish?: 'stop' | 'tool_calls' | 'length'
  readonly usage?: { readonly input: number; readonly output: number }
  /** Messages only: a field the gateway knows nothing of. */
  readonly container?: object
}

/** The answer in the dialect of the request, streamed when it asked for a stream. */
export function say(request: VendorRequest, answer: ModelAnswer): VendorReply {
  const model = String(request.body.model ?? 'unnamed')
  if (request.path.endsWith('/converse-stream')) return { headers: eventStreamHeaders, parts: converseFrames(answer) }
  if (request.path.endsWith('/converse')) return { headers: { 'x-amzn-requestid': 'b2a3c4d5-vendor' }, parts: [converseMessage(answer)] }
  if (request.path.endsWith('/invoke-with-response-stream'))
    return { headers: eventStreamHeaders, parts: chunkFrames(messageEvents(answer, 'claude-on-bedrock')) }
  if (isGemini(request)) return geminiReply(request, answer)
  if (request.body.stream === true) return { headers: streamHeaders(request), parts: eventsOf(request, answer) }
  if (request.path.endsWith('/responses')) return { headers: vendorHeaders(request), parts: [response(answer, model)] }
  const body = request.dialect === 'openai' ? chatCompletion(answer, model) : message(answer, model)
  return { headers: vendorHeaders(request), parts: [body] }
}

/** The events `say` would stream. */
export function eventsOf(request: VendorRequest, answer: ModelAnswer): string[] {
  const model = String(request.body.model ?? 'unnamed')
  if (isGemini(request)) return geminiEvents(answer, model)
  if (request.dialect === 'anthropic') return messageEvents(answer, model)
  if (request.path.endsWith('/responses')) return responseEvents(answer, model)
  return chatCompletionEvents(answer, model, request.body.stream_options?.include_usage === true)
}

/** Headers a vendor sends with a stream. */
export function streamHeaders(request: VendorRequest): Record<string, string> {
  return { ...vendorHeaders(request), 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' }
}

/** Headers a vendor sends with every answer; some are meant for the client, the cookie never is. */
export function vendorHeaders(request: VendorRequest): Record<string, string> {
  const cookie = { 'set-cookie': '__cf_bm=vendor-cookie; path=/; HttpOnly' }
  if (request.dialect === 'openai')
    return { 'x-request-id': 'req_7f3c9a', 'openai-processing-ms': '412', 'openai-organization': 'acme-vendor-org', ...cookie }
  return { 'request-id': 'req_011CQxvendor', 'anthropic-organization-id': 'acme-vendor-org', ...cookie }
}

/** A vendor's own error, as it words it. */
export function vendorError(request: VendorRequest, status: number, message: string): VendorReply {
  if (isGemini(request)) return geminiError(status, message)
  const types: Record<number, [string, string]> = {
    400: ['invalid_request_error', 'invalid_request_error'],
    401: ['invalid_request_error', 'authentication_error'],
    429: ['rate_limit_exceeded', 'rate_limit_error'],
    500: ['server_error', 'api_error'],
    529: ['server_error', 'overloaded_error'],
  }
  const [openai, anthropic] = types[status] ?? ['server_error', 'api_error']
  const body =
    request.dialect === 'openai'
      ? { error: { message, type: openai, param: null, code: null } }
      : { type: 'error', error: { type: anthropic, message }, request_id: 'req_011CQxvendor' }
  return { status, headers: vendorHeaders(request), parts: [JSON.stringify(body)] }
}
