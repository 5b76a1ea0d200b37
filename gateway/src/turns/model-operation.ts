/**
 * The life of an operation of a model that is no conversation (embeddings, rerank, speech, …): who asks, whether the model is
 * granted, whose credential is used, and that all of it is on record before anything is sent. What is asked and answered is
 * passed on as it is; nothing of it is read but the model's name, and nothing of it can call a tool.
 */
import type { Route, RouteTarget } from '../config/snapshot.ts'
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import { newId } from '../core/ids.ts'
import { resolveCredential } from '../identity/credentials.ts'
import { secretsOf } from '../models/asking-upstream.ts'
import { buildHeaders, signRequest, type Hop } from '../models/building-request.ts'
import type { ModelOperation } from '../models/operations.ts'
import { describeFailure } from '../models/routing-upstream.ts'
import { providers } from '../providers/providers.ts'
import type { UpstreamResponse } from '../providers/transport.ts'
import { noopTelemetry } from '../telemetry/noop.ts'
import { chatCompletions } from '../wire/dialects/chat-completions/chat-completions.ts'
import { allGuardedFields } from '../wire/dialects.ts'
import { parseGuardedJson } from '../wire/request/json-guard.ts'
import { replaceModel } from '../wire/request/splice-bytes.ts'
import { answerError } from './answering/answering-client.ts'
import { relayOperation } from './answering/relaying-operation.ts'
import { authoriseModel } from './deciding/authorising-model.ts'
import { refuseOnRecord } from './model-call.ts'
import { type CallOrigin, traceHeaders } from './origins/call-origin.ts'
import { recordOperation, recordOperationOutcome, recordRefusedOperation, type OperationCall } from './recording/recording-operation.ts'
import type { Services } from './services.ts'

/** Answers one operation, whatever happens. Never rejects. */
export async function runModelOperation(services: Services, origin: CallOrigin, operation: ModelOperation): Promise<void> {
  const started = services.clock.monotonic()
  const snapshot = services.snapshot()
  let call: OperationCall | undefined
  try {
    const caller = origin.caller ?? (await services.authenticator.authenticate(origin.headers, snapshot))
    const { limits } = snapshot.settings
    const bytes = await origin.body(limits)
    const { model } = parseGuardedJson(bytes, {
      maxDepth: limits.max_depth,
      maxKeys: limits.max_keys,
      guardedFields: allGuardedFields,
    })
    if (typeof model !== 'string' || model === '')
      throw new TurnwardError('request.invalid', { subject: 'model', why: 'it must name a model' })
    const span = noopTelemetry.startModelCall({
      requestModel: model,
      dialect: chatCompletions.name,
      stream: false,
      ...traceHeaders(origin),
    })
    const asked = { services, snapshot, caller, session: null, turn: null, span, modelCall: newId('mc'), operation: operation.name, model }
    const { route, source } = refuseOnRecord(
      () => authoriseModel(snapshot, caller.principal, model),
      (error) => recordRefusedOperation(asked, error),
    )
    call = { ...asked, decision: newId('dec'), grant: source, sentTo: undefined }
    await ask(call, origin, targetsFor(route, operation), bytes)
    recordOperationOutcome(call, started, undefined)
  } catch (thrown) {
    const error = answerError(origin.outlet, chatCompletions, origin.signal.aborted ? origin.signal.reason : thrown)
    if (error.code.startsWith('auth.')) services.telemetry.count('turnward_auth_failures_total', { code: error.code })
    if (call !== undefined) recordOperationOutcome(call, started, error)
    if (error.status >= 500) services.telemetry.logger.error({ code: error.code, err: error.cause }, error.message)
  }
}

/** Upstreams of a route that have the operation. Throws `request.unsupported` when none has. */
function targetsFor(route: Route, { name }: ModelOperation): readonly RouteTarget[] {
  const targets = route.targets.filter(({ upstream }) => providers[upstream.config.kind].operations?.[name] !== undefined)
  if (targets.length > 0) return targets
  throw new TurnwardError('request.unsupported', { subject: name, why: `no upstream of the route \`${route.model}\` has it` })
}

/** The first that answers answers; one that is busy or broken is passed over while nothing has gone out. */
async function ask(call: OperationCall, origin: CallOrigin, targets: readonly RouteTarget[], bytes: Buffer): Promise<void> {
  for (const [at, target] of targets.entries()) {
    const isLast = at === targets.length - 1
    try {
      const { response, secrets } = await send(call, origin, target, bytes)
      const isBusy = response.status === 429 || response.status >= 500
      if (!isBusy || isLast) return await relayOperation(call, origin, { target, response, secrets })
      response.abort()
      noteFailover(call, target, `it answered ${response.status}`)
    } catch (error) {
      if (isLast || origin.outlet.hasBegun || origin.signal.aborted) throw error
      noteFailover(call, target, asTurnwardError(error).code)
    }
  }
}

function noteFailover({ services }: OperationCall, { upstream }: RouteTarget, why: string): void {
  services.telemetry.count('turnward_upstream_failovers_total', { upstream: upstream.name })
  services.telemetry.logger.warn({ upstream: upstream.name, why }, 'failing over to the next upstream')
}

interface Sent {
  readonly response: UpstreamResponse
  readonly secrets: readonly string[]
}

async function send(call: OperationCall, origin: CallOrigin, target: RouteTarget, bytes: Buffer): Promise<Sent> {
  const { services, snapshot, caller, model } = call
  const { upstream } = target
  const provider = providers[upstream.config.kind]
  const hop: Hop = { target, provider, dialect: chatCompletions.name, streamUsage: 'as-asked' }
  const asked = provider.operations?.[call.operation] ?? ''
  const sent = target.model ?? model
  const path = provider.place?.({ spoken: { path: asked }, config: upstream.config }, sent, false) ?? asked
  const body = sent === model ? bytes : replaceModel(bytes, sent)
  if (body === undefined) throw new TurnwardError('request.invalid', { subject: 'model', why: 'it was not found at the top of the body' })
  const headers = buildHeaders({ stream: false, clientHeaders: origin.headers, ...traceHeaders(origin) }, hop, '*/*')
  const { id, credential } = await resolveCredential(snapshot, caller, upstream.name, services.clock.now())
  const request = await signRequest({ path, headers, body }, hop, credential, services.clock.now())
  call.sentTo = { upstream: upstream.name, credential: id }
  recordOperation(call)
  const response = await services.upstreams
    .of(upstream)
    .send(request, origin.signal)
    .catch((error: unknown) => Promise.reject(describeFailure(error, upstream.name)))
  return { response, secrets: secretsOf(credential, target) }
}
