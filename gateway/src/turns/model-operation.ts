/**
 * The life of an operation of a model that is no conversation (embeddings, rerank, speech, …): who asks, whether the model is
 * granted, whose credential is used, and that all of it is on record before anything is sent. What is asked and answered is
 * passed on as it is, embeddings for an upstream of another form excepted; nothing of it can call a tool.
 */
import { newId } from '../core/ids.ts'
import type { ModelOperation } from '../models/operations.ts'
import { noopTelemetry } from '../telemetry/noop.ts'
import type { Dialect } from '../wire/dialect.ts'
import { chatCompletions } from '../wire/dialects/chat-completions/chat-completions.ts'
import { answerError } from './answering/answering-client.ts'
import { authoriseModel } from './deciding/authorising-model.ts'
import { refuseOnRecord } from './model-call.ts'
import { type CallOrigin, traceHeaders } from './origins/call-origin.ts'
import { requireConversation } from './prompts/adding-messages.ts'
import { guardOperation } from './guards/guarding-operations.ts'
import { reserveForOperation, settleForOperation } from './limiting/reserving-for-operation.ts'
import { recordOperationOutcome, recordRefusedOperation, type OperationCall } from './recording/recording-operation.ts'
import { askForOperation } from './operations/asking-operation.ts'
import { readOperation } from './operations/reading-operation.ts'
import type { Services } from './services.ts'

/** Answers one operation, whatever happens; errors in the envelope of `dialect`. Never rejects. */
export async function runModelOperation(
  services: Services,
  origin: CallOrigin,
  operation: ModelOperation,
  dialect: Dialect = chatCompletions,
): Promise<void> {
  const started = services.clock.monotonic()
  const snapshot = services.snapshot()
  let call: OperationCall | undefined
  let exit: (() => void) | undefined
  try {
    const caller = origin.caller ?? (await services.authenticator.authenticate(origin, snapshot, 'models'))
    exit = services.live.enter(caller, origin)
    const body = await readOperation(services, origin, operation)
    const { model } = body
    const span = noopTelemetry.startModelCall({
      requestModel: model,
      dialect: dialect.name,
      stream: false,
      ...traceHeaders(origin),
    })
    const ids = { session: null, turn: null, modelCall: newId('mc') }
    const asked = { services, snapshot, caller, origin, span, ...ids, operation: operation.name, model }
    const onRecord = (error: unknown): void => recordRefusedOperation(asked, error)
    const { route, source } = refuseOnRecord(
      () => authoriseModel(snapshot, model, { caller, headers: origin.headers, dialect: operation.name }, origin.granted),
      onRecord,
    )
    refuseOnRecord(() => requireConversation(route, operation.name), onRecord)
    call = { ...asked, decision: newId('dec'), grant: source, route: route.model, sentTo: undefined, leftOut: [] }
    call.limits = await reserveForOperation(call, route, body.json)
    // Nothing leaves that a guard does not let go.
    await askForOperation(call, origin, route, await guardOperation(call, origin, route, body))
    call.hasAnswered = true
    if (call.used !== undefined) await services.prices.ready(call.used.upstream)
    recordOperationOutcome(call, started, undefined)
  } catch (thrown) {
    const error = answerError(origin.outlet, dialect, origin.signal.aborted ? origin.signal.reason : thrown, call?.limits?.headers)
    if (error.code.startsWith('auth.')) services.telemetry.count('turnward_auth_failures_total', { code: error.code })
    if (call !== undefined) recordOperationOutcome(call, started, error)
    if (error.status >= 500) services.telemetry.logger.error({ code: error.code, err: error.cause }, error.message)
  } finally {
    exit?.()
    if (call !== undefined) await settleForOperation(call)
  }
}
