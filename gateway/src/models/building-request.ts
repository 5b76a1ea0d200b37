/**
 * Makes the bytes and headers for one upstream. A request nobody had to change goes out byte for byte; one
 * field is spliced into the original bytes; only an edited conversation or another dialect is written anew.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { RouteTarget } from '../config/snapshot.ts'
import type { Credential } from '../core/credential.ts'
import { TurnwardError } from '../core/error.ts'
import type { JsonObject } from '../core/json.ts'
import type { Provider, SpokenDialect } from '../providers/provider.ts'
import type { UpstreamRequest } from '../providers/transport.ts'
import { converterFor } from '../wire/converting/converting.ts'
import type { Dialect, DialectName } from '../wire/dialect.ts'
import { dialectByName } from '../wire/dialects.ts'
import type { RequestBody } from '../wire/request/request-body.ts'
import { replaceModel, setTopLevel } from '../wire/request/splice-bytes.ts'
import { fixedHeadersOf } from './fixed-headers.ts'
import { headersOf, withoutHeaders } from './headers-in-body.ts'

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
  /** Its answer is kept here, so that the vendor need not. */
  readonly isUnkept?: boolean
  readonly clientHeaders: IncomingHttpHeaders
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
}

/** Where and how a call goes out. */
export interface Hop {
  readonly target: RouteTarget
  readonly provider: Provider
  /** The dialect that is spoken on it. */
  readonly dialect: DialectName
  /** What becomes of `stream_options` in a stream that goes out as chat-completions. */
  readonly streamUsage: 'ask' | 'as-asked' | 'never'
}

const userAgent = 'turnward'

/** The request, not signed yet. `onLeftOut` is told what of the client's had to be left out. */
export function buildRequest(given: OutgoingCall, hop: Hop, onLeftOut?: (fields: readonly string[]) => void): UpstreamRequest {
  const { target, provider, dialect } = hop
  const call = { ...given, clientHeaders: headersOf(given.dialect, given.clientHeaders, given.body.fields) }
  const spoken = spokenOf(provider, dialect)
  const path = provider.place?.({ spoken, config: target.upstream.config }, target.model ?? call.model, call.stream) ?? spoken.path
  return {
    path,
    headers: buildHeaders(call, hop, call.stream ? spoken.framing?.contentType : undefined),
    body: buildBody(call, hop, onLeftOut),
  }
}

/** The request with the headers that prove who we are. A promise only where the provider needs one. */
export function signRequest(
  request: UpstreamRequest,
  { target, provider }: Pick<Hop, 'target' | 'provider'>,
  credential: Credential,
  now: number,
): UpstreamRequest | Promise<UpstreamRequest> {
  const { config } = target.upstream
  const { method = 'POST', path, headers, body } = request
  const signed = provider.sign(
    { method, baseUrl: 'base_url' in config ? config.base_url : '', path, headers, body, config },
    credential,
    now,
  )
  const withHeaders = (added: readonly string[]): UpstreamRequest => ({ ...request, headers: [...headers, ...added] })
  return signed instanceof Promise ? signed.then(withHeaders) : withHeaders(signed)
}

/** Whether usage is asked for in a stream whose client did not ask for it. */
export function addsUsage(call: OutgoingCall, { dialect, streamUsage }: Pick<Hop, 'dialect' | 'streamUsage'>): boolean {
  const isOurs = call.dialect.name !== 'chat-completions' || !call.wantsUsage
  return streamUsage === 'ask' && call.stream && dialect === 'chat-completions' && isOurs
}

/** Throws `gateway.internal` for a dialect the provider does not speak. */
export function spokenOf({ dialects, telemetryName }: Provider, dialect: DialectName): SpokenDialect {
  const spoken = dialects[dialect]
  if (spoken === undefined) throw new TurnwardError('gateway.internal', { subject: telemetryName, why: `it does not speak ${dialect}` })
  return spoken
}

function buildBody(call: OutgoingCall, hop: Hop, onLeftOut?: (fields: readonly string[]) => void): Buffer | string {
  const { target, provider, dialect } = hop
  const { form } = spokenOf(provider, dialect)
  const omitModel = target.upstream.config.omit_model
  const model = target.model ?? call.model
  // Usage is the truth that calls are accounted with, so it is asked for; the client sees it only if it asked too.
  const forceUsage = addsUsage(call, hop)
  const dropsOptions = hop.streamUsage === 'never' && dialect === 'chat-completions' && call.body.fields.stream_options !== undefined
  const converter = converterFor(call.dialect.name, dialect)
  const unkept = converter === undefined && call.isUnkept === true ? (call.dialect.kept?.unkept(call.body.fields, model) ?? {}) : {}

  // What another vendor said for its own use is in the history under our own mark; this vendor would refuse it.
  const { marks } = call.dialect
  const foreignReasoning = converter === undefined && call.bytes !== undefined && marks?.isIn(call.bytes) === true
  // What the client says in its path must be said where the upstream reads it.
  const isOfOneForm = form === undefined && (call.dialect.readPath !== undefined) === isInPath(dialect)
  if (converter === undefined && call.bytes !== undefined && isOfOneForm && !omitModel && !foreignReasoning && !dropsOptions) {
    let bytes = call.bytes
    if (model !== call.model && !isInPath(dialect)) bytes = requireSplice(replaceModel(bytes, model))
    for (const field in unkept) bytes = setTopLevel(bytes, field, JSON.stringify(unkept[field]))
    if (forceUsage)
      bytes = setTopLevel(bytes, 'stream_options', JSON.stringify({ ...streamOptions(call.body.fields), include_usage: true }))
    return bytes
  }
  // The name comes first: which form a converted request takes depends on the model it is for.
  const { json } = call.body
  const named: JsonObject = { ...(converter === undefined ? withoutHeaders(call.dialect, json) : json), model, ...unkept }
  const body = converter?.request(named, { upstream: target.upstream.name, onLeftOut }) ?? marks?.without(named) ?? named
  if (omitModel || isInPath(dialect)) delete body.model
  if (isInPath(dialect)) delete body.stream
  if (forceUsage) body.stream_options = { ...streamOptions(body), include_usage: true }
  else if (dropsOptions || (converter !== undefined && dialect === 'chat-completions')) delete body.stream_options
  return JSON.stringify(form?.(body, call.clientHeaders) ?? body)
}

/** Whether the path names the model and the form of the answer, and the body does not. */
function isInPath(dialect: DialectName): boolean {
  return dialectByName[dialect].readPath !== undefined
}

function requireSplice(bytes: Buffer | undefined): Buffer {
  if (bytes === undefined) throw new TurnwardError('request.invalid', { subject: 'model', why: 'it was not found at the top of the body' })
  return bytes
}

function streamOptions(body: JsonObject): JsonObject {
  return typeof body.stream_options === 'object' && body.stream_options !== null ? (body.stream_options as JsonObject) : {}
}

/** Headers of a request, before it is signed: ours, what of the client's may travel on, and the administrator's. */
export function buildHeaders(
  call: Pick<OutgoingCall, 'stream' | 'clientHeaders' | 'traceparent' | 'tracestate'>,
  { target, provider }: Pick<Hop, 'target' | 'provider'>,
  accept = call.stream ? 'text/event-stream' : 'application/json',
  contentType = 'application/json',
): string[] {
  const fixed = fixedHeadersOf(target.upstream.config)
  const headers = ['content-type', contentType]
  const add = (name: string, value: string): void => {
    if (!fixed.names.has(name)) headers.push(name, value)
  }
  add('accept', accept)
  // A request that names no coding may be answered in any (RFC 9110, 12.5.3).
  add('accept-encoding', 'identity')
  add('user-agent', userAgent)
  for (const name of provider.forwardedHeaders) {
    const value = call.clientHeaders[name]
    if (typeof value === 'string') add(name, value)
  }
  for (const name in provider.defaultHeaders) {
    if (call.clientHeaders[name] === undefined) add(name, provider.defaultHeaders[name] as string)
  }
  if (call.traceparent !== undefined) headers.push('traceparent', call.traceparent)
  if (call.tracestate !== undefined) headers.push('tracestate', call.tracestate)
  headers.push(...fixed.flat)
  return headers
}
