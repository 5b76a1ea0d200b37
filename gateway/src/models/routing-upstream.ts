/**
 * Asks the upstreams of a call one after the other until one answers. Fails over on connect error, timeout, 429 and 5xx, and only
 * before the first byte has gone to the client.
 */
import type { CancelSignal } from '../core/cancellation.ts'
import type { Snapshot } from '../config/snapshot.ts'
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import type { Caller } from '../core/principal.ts'
import { HttpError } from '../http1/exchange.ts'
import { askUpstream, type AskingServices, type OnAttempt, type RoutedResponse } from './asking-upstream.ts'
import type { AttemptFailure, Attempts } from './balancing/attempts.ts'
import { pause } from './balancing/pausing.ts'
import { maySayTooLong, saysFiltered, saysTooLong } from './balancing/reading-answers.ts'
import { askedWaitMs } from './balancing/waiting-times.ts'
import type { OutgoingCall } from './building-request.ts'
import { collectBody } from './collecting-body.ts'
import { holdResponse } from './held-response.ts'

/**
 * Resolves with the first answer that is not a reason to fail over, or with the last one that is. `attempts` says whom to ask,
 * and afterwards whom next.
 * Throws `upstream.credential`, `upstream.failed`, `upstream.timeout`, `route.no_upstream` or the abort reason.
 */
export async function routeCall(
  services: AskingServices,
  snapshot: Snapshot,
  caller: Caller,
  call: OutgoingCall,
  signal: CancelSignal,
  attempts: Attempts,
  onAttempt: OnAttempt,
): Promise<RoutedResponse> {
  let failure: TurnwardError | undefined
  for (let target = attempts.take(); target !== undefined; target = attempts.take()) {
    const { upstream } = target
    let why: TurnwardError
    let wait: number | undefined
    try {
      const answered = await askUpstream(services, { snapshot, caller, target, call, signal, onAttempt })
      const { routed, kind } = await readRefusal(answered, attempts)
      const { status, headers } = routed.response
      const said = `it answered ${status}`
      if (kind === undefined) return routed
      wait = attempts.after(kind, said, askedWaitMs(headers, services.clock.now()))
      if (wait === undefined) return routed
      why = new TurnwardError('upstream.failed', { subject: upstream.name, why: said })
    } catch (error) {
      if (signal.aborted) throw signal.reason
      why = describeFailure(error, upstream.name)
      wait = attempts.after(kindOf(why), why.why ?? why.code)
    }
    // A request this upstream cannot represent is the caller's to mend, unless another upstream can take it, or could have.
    if (failure === undefined || why.code !== 'request.unsupported') failure = why
    if (wait === undefined) throw failure
    noteFailover(services, upstream.name, why)
    if (wait > 0) await pause(wait, signal)
  }
  throw failure ?? new TurnwardError('route.no_upstream', { subject: call.model })
}

/** Largest refusal that is read to see what it is about, as of every error. */
const maxErrorBytes = 1024 * 1024

/** What an answer means for the next attempt; undefined: it is passed on as it is. What had to be read of it is held. */
async function readRefusal(
  routed: RoutedResponse,
  attempts: Attempts,
): Promise<{ readonly routed: RoutedResponse; readonly kind: AttemptFailure | undefined }> {
  const { response, target } = routed
  const { status } = response
  const isTransient = shouldFailOver(status)
  if (!isTransient && !(attempts.hasFallback && maySayTooLong(status))) return { routed, kind: undefined }
  // Read to its end, so that its connection can be used again.
  const body = await collectBody(response, maxErrorBytes, target.upstream.name)
  const held = { ...routed, response: holdResponse(response, body) }
  // What was refused for what it says is not hawked from vendor to vendor.
  if (isTransient) return { routed: held, kind: saysFiltered(body) ? undefined : 'transient' }
  return { routed: held, kind: saysTooLong(status, body) ? 'too_long' : undefined }
}

/**
 * Milliseconds after which another upstream is asked for an answer that this one began with status 200 and could not give;
 * undefined when none is. Nothing of it has gone out.
 */
export function failsOver(services: AskingServices, attempts: Attempts, routed: RoutedResponse, failure: unknown): number | undefined {
  if (!(failure instanceof TurnwardError) || !failure.code.startsWith('upstream.')) return undefined
  routed.exchange.belied('it answered 200 with what is no answer')
  const wait = attempts.after('transient', failure.why ?? failure.code)
  if (wait !== undefined) noteFailover(services, routed.target.upstream.name, failure)
  return wait
}

function noteFailover({ telemetry }: AskingServices, upstream: string, { code, why }: TurnwardError): void {
  telemetry.count('turnward_upstream_failovers_total', { upstream })
  telemetry.logger.warn({ upstream, code, why }, 'failing over to the next upstream')
}

function shouldFailOver(status: number): boolean {
  return status === 429 || status >= 500
}

/** What is wrong with the request, its credential or a limit here is no better in a moment. */
function kindOf({ code }: TurnwardError): AttemptFailure {
  return code.startsWith('upstream.') && code !== 'upstream.credential' ? 'transient' : 'elsewhere'
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
