/**
 * Makes the bytes and headers for one upstream. A request nobody had to change goes out byte for byte; one
 * field is spliced into the original bytes; only an edited conversation or another dialect is written anew.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { RouteTarget } from '../config/snapshot.ts'
import { TurnwardError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import { defaultAnthropicVersion } from '../providers/anthropic/anthropic.ts'
import type { Provider } from '../providers/provider.ts'
import { converterFor } from '../wire/converting/converting.ts'
import type { Dialect } from '../wire/dialect.ts'
import { carriesMarks, withoutMarks } from '../wire/dialects/messages/hub/marks.ts'
import type { RequestBody } from '../wire/request/request-body.ts'
import { replaceModel, setTopLevel } from '../wire/request/splice-bytes.ts'
import type { UpstreamRequest } from './transport.ts'

/** What the client asked, in its own dialect. */
export interface OutgoingCall {
  readonly dialect: Dialect
  readonly model: string
  readonly stream: boolean
  readonly wantsUsage: boolean
  /** The conversation as it must go out. */
  readonly body: RequestBody
  /** The client's bytes, while `body` still equals them. */
  readonly bytes: Buffer | undefined
  readonly clientHeaders: IncomingHttpHeaders
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
}

const userAgent = 'turnward'

export function buildRequest(call: OutgoingCall, target: RouteTarget, provider: Provider, secret: string | undefined): UpstreamRequest {
  const body = buildBody(call, target, provider)
  return { path: provider.path, headers: buildHeaders(call, target, provider, secret), body }
}

function buildBody(call: OutgoingCall, target: RouteTarget, provider: Provider): Buffer | string {
  const { config } = target.upstream
  const omitModel = config.kind === 'openai-compatible' && config.omit_model
  const model = target.model ?? call.model
  // Usage is the truth that calls are accounted with, so it is always asked for; the client sees it only if it asked too.
  const forceUsage =
    call.stream && provider.dialect === 'chat-completions' && (call.dialect.name !== 'chat-completions' || !call.wantsUsage)
  const converter = converterFor(call.dialect.name, provider.dialect)

  // What another vendor said for its own use is in the history under our own mark; this vendor would refuse it.
  const foreignReasoning =
    call.dialect.name === 'messages' && provider.dialect === 'messages' && call.bytes !== undefined && carriesMarks(call.bytes)
  if (converter === undefined && call.bytes !== undefined && !omitModel && !foreignReasoning) {
    let bytes = call.bytes
    if (model !== call.model) bytes = requireSplice(replaceModel(bytes, model))
    if (forceUsage)
      bytes = setTopLevel(bytes, 'stream_options', JSON.stringify({ ...streamOptions(call.body.fields), include_usage: true }))
    return bytes
  }
  // The name comes first: which form a converted request takes depends on the model it is for.
  const named: JsonObject = { ...call.body.json, model }
  const body =
    converter?.request(named, { upstream: target.upstream.name }) ?? (provider.dialect === 'messages' ? withoutMarks(named) : named)
  if (omitModel) delete body.model
  if (forceUsage) body.stream_options = { ...streamOptions(body), include_usage: true }
  return JSON.stringify(body)
}

function requireSplice(bytes: Buffer | undefined): Buffer {
  if (bytes === undefined) throw new TurnwardError('request.invalid', { subject: 'model', why: 'it was not found at the top of the body' })
  return bytes
}

function streamOptions(body: JsonObject): JsonObject {
  return typeof body.stream_options === 'object' && body.stream_options !== null ? (body.stream_options as JsonObject) : {}
}

function buildHeaders(call: OutgoingCall, target: RouteTarget, provider: Provider, secret: string | undefined): string[] {
  const headers = [
    'content-type',
    'application/json',
    'accept',
    call.stream ? 'text/event-stream' : 'application/json',
    'user-agent',
    userAgent,
  ]
  for (const name of provider.forwardedHeaders) {
    const value = call.clientHeaders[name]
    if (typeof value === 'string') headers.push(name, value)
  }
  if (provider.dialect === 'messages' && call.clientHeaders['anthropic-version'] === undefined) {
    headers.push('anthropic-version', defaultAnthropicVersion)
  }
  if (call.traceparent !== undefined) headers.push('traceparent', call.traceparent)
  if (call.tracestate !== undefined) headers.push('tracestate', call.tracestate)
  for (const [name, value] of Object.entries(target.upstream.config.headers)) headers.push(name, value)
  headers.push(...provider.authHeaders(secret))
  return headers
}
