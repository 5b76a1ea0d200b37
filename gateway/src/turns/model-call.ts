/**
 * The life of a model call, top to bottom. Each stage is one file; the line before it says why it stands
 * where it stands. Read this file and `tool-call.ts` and you know the product.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Cancellation, type CancelSignal } from '../core/cancellation.ts'
import { TurnwardError } from '../core/error.ts'
import { newId } from '../core/ids.ts'
import type { Session } from '../state/sessions.ts'
import type { CallSpan } from '../telemetry/telemetry.ts'
import type { Dialect } from '../wire/dialect.ts'
import { admitHistory } from './admitting-history.ts'
import { answerError } from './answering-client.ts'
import { attachSession } from './attaching-session.ts'
import { authoriseModel } from './authorising-model.ts'
import type { ModelCall } from './call.ts'
import { readHistory } from './history.ts'
import { continueTurn } from './continuing-turn.ts'
import { readModelRequest } from './reading-request.ts'
import { recordModelOutcome, recordRefusedModel } from './recording-model-call.ts'
import { relayJson } from './relaying-json.ts'
import { relayStream } from './relaying-stream.ts'
import { restoreRefused } from './restoring-refused.ts'
import { placeOf, savePoint } from './saving-point.ts'
import type { Services } from './services.ts'
import { shapeTools } from './shaping-tools.ts'

export async function runModelCall(services: Services, request: IncomingMessage, response: ServerResponse, dialect: Dialect): Promise<void> {
  const started = services.clock.monotonic()
  // A call ends on the revision it started on.
  const snapshot = services.snapshot()
  const signal = abortWhenClientLeaves(response)
  let span: CallSpan | undefined
  let call: ModelCall | undefined
  let busy: Session | undefined
  try {
    // Who is calling comes first: nothing of a stranger's body is parsed.
    const caller = await services.authenticator.authenticate(request.headers, snapshot)
    // Parsed once; what we decide on is what the upstream reads.
    const { bytes, body, view } = await readModelRequest(services, request, caller, dialect, snapshot)
    span = services.telemetry.startModelCall({ requestModel: view.model, dialect: dialect.name, stream: view.stream, ...traceHeaders(request) })
    // The session carries the label, so it is found before anything is decided.
    const history = readHistory(view.messages, services.secret, [caller.principal.id, caller.consumer ?? ''])
    const { session, firstNew, presented } = await attachSession(services, snapshot, caller, request.headers, body.fields, history)
    busy = session
    services.sessions.begin(session)
    const turn = continueTurn(session, view)
    const attached = { services, snapshot, caller, session, turn, span, modelCall: newId('mc') }
    // Grants are checked with the session known, so that a refusal is on record where it belongs.
    const { route, source } = refuseOnRecord(() => authoriseModel(snapshot, caller.principal, view.model), (error) => recordRefusedModel(attached, view.model, error))
    call = {
      ...attached,
      request,
      response,
      dialect,
      view,
      body,
      bytes,
      signal,
      presented,
      place: placeOf(history),
      decision: newId('dec'),
      grant: source,
      hidden: [],
      attempt: undefined,
    }
    // What the history brings narrows the label before the model sees it.
    await admitHistory(call, history, firstNew)
    // The point is kept now: a client that never comes back for this answer may still fork from here.
    await savePoint(call, call.place)
    // The model must see the calls that were refused earlier, or it would make them again.
    await restoreRefused(call, history)
    // With the label final for this call, tools it cannot reach are taken out of the offer.
    shapeTools(call)
    // Route, relay, and decide each proposed call before a byte of it is released.
    const end = view.stream ? await relayStream(call, route) : await relayJson(call, route)
    // The provider's usage is the truth; the outcome closes the record.
    recordModelOutcome(call, started, end)
  } catch (thrown) {
    const error = answerError(response, dialect, withTurn(signal.aborted ? signal.reason : thrown, call))
    if (error.code.startsWith('auth.')) services.telemetry.count('turnward_auth_failures_total', { code: error.code })
    if (call !== undefined) recordModelOutcome(call, started, { failure: error })
    else span?.end({ outcome: 'refused', errorCode: error.code })
    if (error.status >= 500) services.telemetry.logger.error({ code: error.code, turn: call?.turn, err: error.cause }, error.message)
  } finally {
    if (busy !== undefined) services.sessions.end(busy)
    if (call !== undefined) services.sessions.save(call.session, snapshot.policy, snapshot.settings.turns.session_idle_ms)
  }
}

/** Cancelled when the client goes away before its answer is whole. */
export function abortWhenClientLeaves(response: ServerResponse): CancelSignal {
  const cancellation = new Cancellation()
  response.on('close', () => {
    if (!response.writableFinished) cancellation.cancel(new TurnwardError('request.cancelled'))
  })
  return cancellation
}

/** Runs a check; what it throws is recorded first. */
export function refuseOnRecord<T>(check: () => T, record: (error: unknown) => void): T {
  try {
    return check()
  } catch (error) {
    record(error)
    throw error
  }
}

function withTurn(thrown: unknown, call: ModelCall | undefined): unknown {
  if (thrown instanceof TurnwardError && call !== undefined) thrown.turn ??= call.turn
  return thrown
}

/** W3C trace context of the caller, as far as it is one header each. */
export function traceHeaders(request: IncomingMessage): { traceparent: string | undefined; tracestate: string | undefined } {
  const { traceparent, tracestate } = request.headers
  return {
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    tracestate: typeof tracestate === 'string' ? tracestate : undefined,
  }
}
