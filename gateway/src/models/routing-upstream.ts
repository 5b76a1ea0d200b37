/**
 * Walks the ordered upstreams of a route until one answers. Fails over on connect error, timeout, 429 and
 * 5xx, and only before the first byte has gone to the client.
 */
import type { CancelSignal } from '../core/cancellation.ts'
import type { Route, RouteTarget, Snapshot } from '../config/snapshot.ts'
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import type { Caller } from '../core/principal.ts'
import { resolveCredential } from '../identity/credentials.ts'
import type { Provider } from '../providers/provider.ts'
import { providers } from '../providers/providers.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import { buildRequest, type OutgoingCall } from './building-request.ts'
import { readSmallBody } from './collecting-body.ts'
import type { UpstreamResponse } from './transport.ts'
import type { Upstreams } from './upstreams.ts'

export interface RoutedResponse {
  readonly target: RouteTarget
  readonly provider: Provider
  /** Id of the provider credential used; `none` where the upstream needs none. */
  readonly credential: string
  readonly response: UpstreamResponse
  /** What this upstream was sent that nobody may see: the credential and the administrator's fixed headers. */
  readonly secrets: readonly string[]
}

/** Which upstreams of a route a call has been through. */
export interface Attempts {
  /** Index of the upstream that is asked next. */
  next: number
}

export interface RoutingServices {
  readonly upstreams: Upstreams
  readonly telemetry: Telemetry
}

/** Told which upstream and credential is about to be tried, before anything is sent. */
export type OnAttempt = (target: RouteTarget, credential: string) => void

/**
 * Resolves with the first answer that is not a reason to fail over, or with the last one that is. `attempts` says where to
 * begin, and afterwards where to go on.
 * Throws `upstream.credential`, `upstream.failed`, `upstream.timeout`, `route.no_upstream` or the abort reason.
 */
export async function routeCall(
  services: RoutingServices,
  snapshot: Snapshot,
  caller: Caller,
  route: Route,
  call: OutgoingCall,
  signal: CancelSignal,
  attempts: Attempts,
  onAttempt: OnAttempt,
): Promise<RoutedResponse> {
  let failure: TurnwardError | undefined
  for (const target of route.targets.slice(attempts.next)) {
    attempts.next += 1
    const isLast = attempts.next === route.targets.length
    const { upstream } = target
    const provider = providers[upstream.config.kind]
    try {
      const credential = resolveCredential(snapshot, caller, upstream.name)
      const request = buildRequest(call, target, provider, credential.secret)
      onAttempt(target, credential.id)
      const response = await services.upstreams.of(upstream).send(request, signal)
      if (isLast || !shouldFailOver(response.status))
        return { target, provider, credential: credential.id, response, secrets: secretsOf(credential.secret, target) }
      await readSmallBody(response)
      failure = new TurnwardError('upstream.failed', { subject: upstream.name, why: `it answered ${response.status}` })
    } catch (error) {
      if (signal.aborted) throw signal.reason
      failure = describeFailure(error, upstream.name)
      // A request this upstream cannot represent is the caller's to mend, unless another upstream can take it.
      if (isLast) throw failure
    }
    noteFailover(services, upstream.name, failure)
  }
  throw failure ?? new TurnwardError('route.no_upstream', { subject: route.model })
}

/**
 * Whether another upstream is asked for an answer that this one began with status 200 and could not give. Nothing of it
 * has gone out.
 */
export function failsOver(services: RoutingServices, route: Route, attempts: Attempts, routed: RoutedResponse, failure: unknown): boolean {
  if (attempts.next >= route.targets.length || !(failure instanceof TurnwardError) || !failure.code.startsWith('upstream.')) return false
  noteFailover(services, routed.target.upstream.name, failure)
  return true
}

function noteFailover({ telemetry }: RoutingServices, upstream: string, { code, why }: TurnwardError): void {
  telemetry.count('turnward_upstream_failovers_total', { upstream })
  telemetry.logger.warn({ upstream, code, why }, 'failing over to the next upstream')
}

/** What an upstream is sent that nobody may see. */
export function secretsOf(credential: string | undefined, target: RouteTarget): readonly string[] {
  const fixed = Object.values(target.upstream.config.headers)
  return credential === undefined ? fixed : [credential, ...fixed]
}

function shouldFailOver(status: number): boolean {
  return status === 429 || status >= 500
}

/** What went wrong with an upstream, as a coded error. */
export function describeFailure(error: unknown, upstream: string): TurnwardError {
  if (error instanceof TurnwardError) return error
  const code = (error as { code?: string }).code ?? ''
  if (code.includes('TIMEOUT')) return new TurnwardError('upstream.timeout', { subject: upstream, why: code, cause: error })
  if (code !== '' || error instanceof Error)
    return new TurnwardError('upstream.failed', { subject: upstream, why: code || 'the connection failed', cause: error })
  return asTurnwardError(error)
}
