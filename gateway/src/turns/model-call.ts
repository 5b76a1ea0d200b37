/**
 * The life of a model call, top to bottom. Each stage is one file; the line before it says why it stands
 * where it stands. Read this file and `tool-call.ts` and you know the product.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Cancellation, type CancelSignal } from '../core/cancellation.ts'
import { TurnwardError } from '../core/error.ts'
import { newId } from '../core/ids.ts'
import type { CallSpan } from '../telemetry/telemetry.ts'
import type { Dialect } from '../wire/dialect.ts'
import { admitHistory } from './deciding/admitting-history.ts'
import { answerError } from './answering/answering-client.ts'
import { authoriseModel } from './deciding/authorising-model.ts'
import type { ModelCall } from './call.ts'
import { callMeanings } from './naming/call-meaning.ts'
import { readModelRequest } from './reading-request.ts'
import { recordModelOutcome, recordRefusedModel } from './recording/recording-model-call.ts'
import { relayJson } from './answering/relaying-json.ts'
import { relayStream } from './answering/relaying-stream.ts'
import { restoreRefused } from './answering/restoring-refused.ts'
import type { Services } from './services.ts'
import { attachSession } from './sessions/attaching-session.ts'
import { readHistory } from './sessions/history.ts'
import { failPlace, placeOf, savePlace } from './sessions/places.ts'
import { tellModel } from './telling/telling-model.ts'
import { shapeTools } from './deciding/shaping-tools.ts'

export async function runModelCall(
  services: Services,
  request: IncomingMessage,
  response: ServerResponse,
  dialect: Dialect,
): Promise<void> {
  const started = services.clock.monotonic()
  // A call ends on the revision it started on.
  const snapshot = services.snapshot()
  const signal = abortWhenClientLeaves(response)
  let span: CallSpan | undefined
  let call: ModelCall | undefined
  try {
    // Who is calling comes first: nothing of a stranger's body is parsed.
    const caller = await services.authenticator.authenticate(request.headers, snapshot)
    // Parsed once; what we decide on is what the upstream reads.
    const { bytes, body, view } = await readModelRequest(services, request, caller, dialect, snapshot)
    span = services.telemetry.startModelCall({
      requestModel: view.model,
      dialect: dialect.name,
      stream: view.stream,
      ...traceHeaders(request),
    })
    // The session carries the label, so it is found before anything is decided; the turn is that of the person's last message in it.
    const history = readHistory(view.messages, services.secret, [caller.principal.id, caller.consumer ?? ''])
    const { session, turn, firstNew, presented, client, side } = await attachSession(services, snapshot, caller, {
      headers: request.headers,
      fields: body.fields,
      view,
      history,
    })
    const attached = { services, snapshot, caller, session, turn, span, modelCall: newId('mc') }
    // Grants are checked with the session known, so that a refusal is on record where it belongs.
    const { route, source } = refuseOnRecord(
      () => authoriseModel(snapshot, caller.principal, view.model),
      (error) => recordRefusedModel(attached, view.model, error),
    )
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
      client,
      side,
      meanings: callMeanings(services.fleet, snapshot, client),
      through: new Map(),
      decision: newId('dec'),
      grant: source,
      hidden: [],
      withheld: [],
      attempt: undefined,
    }
    // What the history brings narrows the label before the model sees it.
    await admitHistory(call, history, firstNew)
    // The place is kept now: a client that never comes back for this answer may still go on from here.
    await savePlace(call)
    // The model must see the calls that were refused earlier, or it would make them again, and what it was told.
    const told = await restoreRefused(call, history)
    // With the label final for this call, tools it cannot reach are taken out of the offer.
    await shapeTools(call)
    // Nothing disappears without a word: what the model is told once stays where it was told.
    await tellModel(call, history, told)
    // Route, relay, and decide each proposed call before a byte of it is released.
    const end = view.stream ? await relayStream(call, route) : await relayJson(call, route)
    // The provider's usage is the truth; the outcome closes the record.
    recordModelOutcome(call, started, end)
    if (end.failure !== undefined) await failPlace(call)
  } catch (thrown) {
    const error = answerError(response, dialect, withTurn(signal.aborted ? signal.reason : thrown, call))
    if (error.code.startsWith('auth.')) services.telemetry.count('turnward_auth_failures_total', { code: error.code })
    if (call === undefined) span?.end({ outcome: isRefusal(error) ? 'refused' : 'error', errorCode: error.code })
    else {
      recordModelOutcome(call, started, { failure: error })
      await failPlace(call)
    }
    if (error.status >= 500)
      services.telemetry.logger.error({ code: error.code, turn: call?.turn ?? undefined, err: error.cause }, error.message)
  } finally {
    if (call !== undefined) await services.sessions.save(call.session, snapshot.policy, snapshot.settings.turns.session_idle_ms)
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
  if (thrown instanceof TurnwardError && call !== undefined && call.turn !== null) thrown.turn ??= call.turn
  return thrown
}

/** Whether somebody was not let in; every other failure is nobody's decision. */
function isRefusal({ code }: TurnwardError): boolean {
  return code.startsWith('auth.') || code.startsWith('grant.')
}

/** W3C trace context of the caller, as far as it is one header each. */
export function traceHeaders(request: IncomingMessage): { traceparent: string | undefined; tracestate: string | undefined } {
  const { traceparent, tracestate } = request.headers
  return {
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
    tracestate: typeof tracestate === 'string' ? tracestate : undefined,
  }
}
