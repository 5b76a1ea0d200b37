/**
 * Asks the upstreams of a call one after the other until one answers, or beside each other where its route says so. Fails over on
 * connect error, timeout, 429 and 5xx, and only before the first byte has gone to the client.
 */
import type { CancelSignal } from '../core/cancellation.ts'
import type { Snapshot } from '../config/snapshot.ts'
import { TurnwardError } from '../core/error.ts'
import type { Caller } from '../core/principal.ts'
import { askUpstream, type Asked, type AskingServices, type OnAttempt, type RoutedResponse } from './asking-upstream.ts'
import type { Attempts } from './balancing/attempts.ts'
import { pause } from './balancing/pausing.ts'
import { askedWaitMs } from './balancing/waiting-times.ts'
import type { OutgoingCall } from './building-request.ts'
import { describeFailure, kindOf, noteFailover, readReply } from './failing-over.ts'
import { askHedged, type Hedging } from './hedging.ts'

/** A call that is to be routed. */
export interface RoutedCall {
  readonly snapshot: Snapshot
  readonly caller: Caller
  readonly call: OutgoingCall
  readonly signal: CancelSignal
  /** Whom to ask, and afterwards whom next. */
  readonly attempts: Attempts
  readonly onAttempt: OnAttempt
  /** Undefined where nobody is asked beside another one. */
  readonly hedging: Hedging | undefined
}

/**
 * Resolves with the first answer that is not a reason to fail over, or with the last one that is.
 * Throws `upstream.credential`, `upstream.failed`, `upstream.timeout`, `route.no_upstream` or the abort reason.
 */
export async function routeCall(services: AskingServices, { attempts, hedging, ...routed }: RoutedCall): Promise<RoutedResponse> {
  const { call, signal } = routed
  let failure: TurnwardError | undefined
  for (let target = attempts.take(); target !== undefined; target = attempts.take()) {
    let why: TurnwardError
    let wait: number | undefined
    try {
      const asked: Asked = { ...routed, target }
      const reply =
        hedging === undefined
          ? await readReply(await askUpstream(services, asked), attempts)
          : await askHedged(services, asked, { attempts, ...hedging })
      const { status, headers } = reply.routed.response
      const said = `it answered ${status}`
      if (reply.kind === undefined) return reply.routed
      wait = attempts.after(reply.kind, said, askedWaitMs(headers, services.clock.now()))
      if (wait === undefined) return reply.routed
      why = new TurnwardError('upstream.failed', { subject: reply.routed.target.upstream.name, why: said })
    } catch (error) {
      if (signal.aborted) throw signal.reason
      // Of several that were asked at once it is the last one that has failed.
      why = describeFailure(error, (attempts.current ?? target).upstream.name)
      wait = attempts.after(kindOf(why), why.why ?? why.code)
    }
    // A request this upstream cannot represent is the caller's to mend, unless another upstream can take it, or could have.
    if (failure === undefined || why.code !== 'request.unsupported') failure = why
    if (wait === undefined) throw failure
    noteFailover(services, (attempts.current ?? target).upstream.name, why)
    if (wait > 0) await pause(wait, signal)
  }
  throw failure ?? new TurnwardError('route.no_upstream', { subject: call.model })
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
