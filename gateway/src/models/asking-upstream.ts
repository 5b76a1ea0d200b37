/**
 * One upstream is asked: its credential is found, the request is built and signed, its decision recorded, and only then is it
 * sent. Of a stream whose upstream refuses what we added to it, once more without.
 */
import type { RouteTarget, Snapshot } from '../config/snapshot.ts'
import type { CancelSignal } from '../core/cancellation.ts'
import type { Clock } from '../core/clock.ts'
import { secretsIn, type Credential } from '../core/credential.ts'
import type { Caller } from '../core/principal.ts'
import { type ObservedResponse, sendObserved } from './balancing/sending-observed.ts'
import type { AskedPlace, RunningExchange } from './balancing/running-exchange.ts'
import { resolveCredential } from '../identity/credentials.ts'
import { dialectFor, type Provider } from '../providers/provider.ts'
import { providers } from '../providers/providers.ts'
import type { UpstreamRequest, UpstreamResponse } from '../providers/transport.ts'
import type { MaybePromise } from '../state/state-store.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { DialectName } from '../wire/dialect.ts'
import { addsUsage, buildRequest, signRequest, type Hop, type OutgoingCall } from './building-request.ts'
import { collectBody } from './collecting-body.ts'
import { decodedStream } from './decoding-stream.ts'
import type { StoredCredentials } from '../identity/vault/stored-credentials.ts'
import { holdResponse } from './held-response.ts'
import { mayRefuseField, namesStreamOptions } from './stream-usage.ts'
import type { Upstreams } from './upstreams.ts'

/** An answer, and who gave it. */
export interface RoutedResponse {
  readonly target: RouteTarget
  readonly provider: Provider
  /** The dialect the upstream was asked in, and answers in. */
  readonly dialect: DialectName
  /** Id of the provider credential used; `none` where the upstream needs none. */
  readonly credential: string
  readonly response: UpstreamResponse
  /** Where its upstream's health hears of it. */
  readonly exchange: Pick<RunningExchange, 'belied'>
  /** What this upstream was sent that nobody may see: the credential and the administrator's fixed headers. */
  readonly secrets: readonly string[]
  /** Fields of the client's request that this upstream's dialect has no form for. */
  readonly leftOut?: readonly string[]
}

export interface AskingServices {
  readonly upstreams: Upstreams
  readonly credentials: StoredCredentials
  readonly telemetry: Telemetry
  readonly clock: Clock
}

/** Told which upstream and credential is about to be tried, and what had to be left out, before anything is sent. */
export type OnAttempt = (target: RouteTarget, credential: string, leftOut: readonly string[]) => MaybePromise<void>

export interface Asked {
  readonly snapshot: Snapshot
  readonly caller: Caller
  readonly target: RouteTarget
  readonly call: OutgoingCall
  readonly signal: CancelSignal
  readonly onAttempt: OnAttempt
}

/** Names that may be told: they are the client's own. */
const fieldName = /^[\w.-]{1,64}$/
const mostFields = 20

/** Largest refusal that is read to see what it is about, as of every error. */
const maxErrorBytes = 1024 * 1024

/** Resolves with the answer, whatever its status. Rejects with `upstream.credential`, what the log says, or what the connection says. */
export async function askUpstream(services: AskingServices, asked: Asked): Promise<RoutedResponse> {
  const { snapshot, caller, target, call, onAttempt } = asked
  const { upstream } = target
  const now = services.clock.now()
  const provider = providers[upstream.config.kind]
  const { streamUsage } = services.upstreams
  const model = target.model ?? call.model
  const dialect = dialectFor(provider, upstream.config, call.dialect.name, model)
  const hop: Hop = { target, provider, dialect, streamUsage: streamUsage.modeFor(upstream, model, now) }
  const resolving = resolveCredential(snapshot, caller, upstream.name, now, services.credentials)
  const { id, credential } = resolving instanceof Promise ? await resolving : resolving
  let leftOut: readonly string[] = []
  const request = buildRequest(call, hop, (fields) => {
    leftOut = fields.filter((field) => fieldName.test(field)).slice(0, mostFields)
  })
  const noted = onAttempt(target, id, leftOut)
  if (noted instanceof Promise) await noted
  const place: AskedPlace = { upstream, model, credential: id, isStream: call.stream }
  const first = await send(services, asked, { hop, place, credential }, request)
  let { exchange } = first
  let response: UpstreamResponse = first
  if (mayRefuseField(response) && upstream.config.stream_usage === 'auto' && addsUsage(call, hop)) {
    const body = await collectBody(response, maxErrorBytes, upstream.name)
    if (namesStreamOptions(body)) {
      streamUsage.noteRefusal(upstream, model, now)
      services.telemetry.logger.info({ upstream: upstream.name, status: response.status }, 'asking again without `stream_options`')
      const without: Hop = { ...hop, streamUsage: 'as-asked' }
      const second = await send(services, asked, { hop: without, place, credential }, buildRequest(call, without))
      exchange = second.exchange
      response = second
    } else response = holdResponse(response, body)
  }
  const framing = call.stream ? provider.dialects[dialect]?.framing : undefined
  if (framing !== undefined) response = decodedStream(response, framing, snapshot.settings.limits.max_event_bytes)
  return { target, provider, dialect, credential: id, response, exchange, secrets: secretsOf(credential, target), leftOut }
}

async function send(
  { upstreams, clock }: AskingServices,
  { signal }: Asked,
  { hop, place, credential }: { readonly hop: Hop; readonly place: AskedPlace; readonly credential: Credential },
  request: UpstreamRequest,
): Promise<ObservedResponse> {
  const signed = signRequest(request, hop, credential, clock.now())
  return sendObserved(upstreams, place, signed instanceof Promise ? await signed : signed, signal)
}

/** What an upstream is sent that nobody may see. */
export function secretsOf(credential: Credential, target: RouteTarget): readonly string[] {
  return [...secretsIn(credential), ...Object.values(target.upstream.config.headers)]
}
