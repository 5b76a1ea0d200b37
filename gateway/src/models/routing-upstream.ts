/**
 * Walks the ordered upstreams of a route until one answers. Fails over on connect error, timeout, 429 and
 * 5xx, and only before the first byte has gone to the client.
 */
import type { CancelSignal } from '../core/cancellation.ts'
import type { Route, Snapshot } from '../config/snapshot.ts'
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import type { Caller } from '../core/principal.ts'
import { HttpError } from '../http1/exchange.ts'
import { askUpstream, type AskingServices, type OnAttempt, type RoutedResponse } from './asking-upstream.ts'
import type { OutgoingCall } from './building-request.ts'
import { readSmallBody } from './collecting-body.ts'

/** Which upstreams of a route a call has been through. */
export interface Attempts {
  /** Index of the upstream that is asked next. */
  next: number
}

/**
 * Resolves with the first answer that is not a reason to fail over, or with the last one that is. `attempts` says where to
 * begin, and afterwards where to go on.
 * Throws `upstream.credential`, `upstream.failed`, `upstream.timeout`, `route.no_upstream` or the abort reason.
 */
export async function routeCall(
  services: AskingServices,
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
    let why: TurnwardError
    try {
      const routed = await askUpstream(services, { snapshot, caller, target, call, signal, onAttempt })
      const { response } = routed
      if (isLast || !shouldFailOver(response.status)) return routed
      await readSmallBody(response)
      why = new TurnwardError('upstream.failed', { subject: upstream.name, why: `it answered ${response.status}` })
    } catch (error) {
      if (signal.aborted) throw signal.reason
      why = describeFailure(error, upstream.name)
    }
    // A request this upstream cannot represent is the caller's to mend, unless another upstream can take it, or could have.
    if (failure === undefined || why.code !== 'request.unsupported') failure = why
    if (isLast) throw failure
    noteFailover(services, upstream.name, why)
  }
  throw failure ?? new TurnwardError('route.no_upstream', { subject: route.model })
}

/**
 * Whether another upstream is asked for an answer that this one began with status 200 and could not give. Nothing of it
 * has gone out.
 */
export function failsOver(services: AskingServices, route: Route, attempts: Attempts, routed: RoutedResponse, failure: unknown): boolean {
  if (attempts.next >= route.targets.length || !(failure instanceof TurnwardError) || !failure.code.startsWith('upstream.')) return false
  noteFailover(services, routed.target.upstream.name, failure)
  return true
}

function noteFailover({ telemetry }: AskingServices, upstream: string, { code, why }: TurnwardError): void {
  telemetry.count('turnward_upstream_failovers_total', { upstream })
  telemetry.logger.warn({ upstream, code, why }, 'failing over to the next upstream')
}

function shouldFailOver(status: number): boolean {
  return status === 429 || status >= 500
}

/** What went wrong with an upstream, as a coded error. */
export function describeFailure(error: unknown, upstream: string): TurnwardError {
  if (error instanceof TurnwardError) return error
  const code = (error as { code?: string }).code ?? ''
  if (code.includes('TIMEOUT')) return new TurnwardError('upstream.timeout', { subject: upstream, why: code, cause: error })
  // What it sent is not an answer at all: that is for whoever configured its address, and the words are our own.
  if (error instanceof HttpError && (code === 'HTTP_MALFORMED' || code === 'HTTP_HEAD_TOO_LONG'))
    return new TurnwardError('upstream.malformed', { subject: upstream, why: error.message, cause: error })
  if (code !== '' || error instanceof Error)
    return new TurnwardError('upstream.failed', { subject: upstream, why: code || 'the connection failed', cause: error })
  return asTurnwardError(error)
}
