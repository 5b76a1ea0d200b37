/**
 * A count of the tokens a call would have: the life of a model call up to its sending, because the vendor sees the same words.
 * Asked of the vendor when the route leads to one that counts, and estimated otherwise (marked as such).
 */
import type { Route, RouteTarget } from '../config/snapshot.ts'
import type { TurnwardError } from '../core/error.ts'
import { newId } from '../core/ids.ts'
import type { JsonObject } from '../core/json.ts'
import { resolveCredential } from '../identity/credentials.ts'
import { secretsOf, type RoutedResponse } from '../models/asking-upstream.ts'
import { planRoute } from '../models/balancing/planning.ts'
import { sendObserved } from '../models/balancing/sending-observed.ts'
import { buildRequest, signRequest, spokenOf } from '../models/building-request.ts'
import { collectBody } from '../models/collecting-body.ts'
import { maskSecrets } from '../models/masking-secrets.ts'
import { describeFailure } from '../models/failing-over.ts'
import { providers } from '../providers/providers.ts'
import type { Session } from '../state/sessions.ts'
import { noopTelemetry } from '../telemetry/noop.ts'
import type { Dialect } from '../wire/dialect.ts'
import { answerError, answerHeaders } from './answering/answering-client.ts'
import { readFailure } from './answering/upstream-failure.ts'
import { authoriseModel } from './deciding/authorising-model.ts'
import type { TokenCount } from './call.ts'
import { refuseOnRecord } from './model-call.ts'
import { callMeanings } from './naming/call-meaning.ts'
import { type CallOrigin, traceHeaders } from './origins/call-origin.ts'
import { readModelRequest } from './reading-request.ts'
import { readAsWithheld } from './quarantine/read-as-withheld.ts'
import { guardCounted } from './guards/guarding-input.ts'
import { CallLimits } from './limiting/call-limits.ts'
import { headerFormOf } from './limiting/limit-headers.ts'
import { addToCount } from './prompts/adding-messages.ts'
import { recordRefusedModel } from './recording/recording-model-call.ts'
import { recordTokenCount, recordTokenCountOutcome } from './recording/recording-token-count.ts'
import type { Services } from './services.ts'
import { attachSession } from './sessions/attaching-session.ts'
import { closeState, forCall } from './state-of-call.ts'
import { readHistory } from './sessions/history.ts'

const maxAnswerBytes = 64 * 1024

export async function countTokens(gateway: Services, origin: CallOrigin, dialect: Dialect): Promise<void> {
  const started = gateway.clock.monotonic()
  const snapshot = gateway.snapshot()
  let services = gateway
  let count: TokenCount | undefined
  let asked: Session | undefined
  let exit: (() => void) | undefined
  try {
    // Who is calling comes first, as for a call.
    const caller = origin.caller ?? (await gateway.authenticator.authenticate(origin, snapshot, 'models'))
    exit = gateway.live.enter(caller, origin)
    services = forCall(gateway, caller)
    const read = await readModelRequest(services, origin, caller, dialect, snapshot)
    const model = read.view.model
    const history = readHistory(read.view.messages, services.secret, [caller.principal.id, caller.consumer ?? ''])
    // A question aside: it moves nothing, and belongs to the turn that runs, if one does.
    const {
      session,
      turn: running,
      client,
    } = await attachSession(services, snapshot, caller, {
      headers: origin.headers,
      fields: read.body.fields,
      view: read.view,
      history,
      isAside: true,
    })
    const turn = running ?? newId('turn')
    asked = session
    const span = noopTelemetry.startModelCall({ requestModel: model, dialect: dialect.name, stream: false, ...traceHeaders(origin) })
    const attached = { services, snapshot, caller, session, turn, span, modelCall: newId('mc') }
    const { route, source } = refuseOnRecord(
      () => authoriseModel(snapshot, model, { caller, headers: origin.headers, dialect: dialect.name }),
      (error) => recordRefusedModel(attached, model, error, 'token_count'),
    )
    // What no model reads is sent to nobody who counts either.
    const counted = {
      ...attached,
      history,
      dialect,
      body: read.body,
      meanings: callMeanings(services.fleet, snapshot, client),
      bytes: read.bytes,
    }
    await readAsWithheld(counted)
    count = {
      ...attached,
      decision: newId('dec'),
      grant: source,
      model,
      origin,
      dialect,
      read: { ...read, bytes: counted.bytes },
      sentTo: undefined,
    }
    // A count uses a request, and no tokens.
    count.limits = CallLimits.of(count, {
      kind: { kind: 'token_count' },
      names: { model },
      expected: { inputTokens: 0, outputTokens: 0 },
      form: headerFormOf(dialect.name),
    })
    await count.limits?.reserve(route)
    // What goes out with the call is counted with it.
    addToCount(count, route)
    // Who counts reads it too.
    await guardCounted(count, route)
    const target = await targetThatCounts(count, route)
    // Nothing leaves for a vendor without its record.
    const failure = target === undefined ? answerEstimate(count) : await askVendor(count, target)
    recordTokenCountOutcome(count, started, failure)
  } catch (thrown) {
    const error = answerError(origin.outlet, dialect, origin.signal.aborted ? origin.signal.reason : thrown, count?.limits?.headers)
    if (error.code.startsWith('auth.')) services.telemetry.count('turnward_auth_failures_total', { code: error.code })
    if (count !== undefined) recordTokenCountOutcome(count, started, error)
    if (error.status >= 500) services.telemetry.logger.error({ code: error.code, turn: count?.turn, err: error.cause }, error.message)
  } finally {
    exit?.()
    await count?.limits?.settle([], true)
    const left = asked
    // One that read nothing is not worth a place in the store.
    if (left !== undefined && left.state.version > 0)
      await closeState(services, async () => services.sessions.save(left, snapshot.settings.turns.session_idle_ms))
  }
}

/** The one that the call itself would go to, among those that count. */
async function targetThatCounts(count: TokenCount, route: Route): Promise<RouteTarget | undefined> {
  const { services, snapshot, caller, model, session, dialect } = count
  const counting = route.targets.filter(({ upstream, model: sent = model }) => {
    const spoken = providers[upstream.config.kind].dialects[dialect.name]
    return spoken?.countPath !== undefined && spoken.serves?.(sent) !== false
  })
  const expected = (): object => ({})
  const asked = { snapshot, caller, route, model, isStream: false, stickyKey: session.id, expected }
  const { targets } = await planRoute(services, asked, counting)
  return targets[0]
}

/** Answers with what the vendor says, without the secrets it was sent. Gives the failure that was told, if it was one. */
async function askVendor(count: TokenCount, target: RouteTarget): Promise<TurnwardError | undefined> {
  const { services, dialect, origin, read, span } = count
  const { name, config } = target.upstream
  const provider = providers[config.kind]
  const { id, credential } = await resolveCredential(count.snapshot, count.caller, name, services.clock.now(), services.credentials)
  const { bytes, body } = read
  const outgoing = {
    dialect,
    model: count.model,
    stream: false,
    wantsUsage: true,
    body,
    bytes,
    clientHeaders: origin.headers,
    traceparent: span.traceparent,
    tracestate: span.tracestate,
  }
  const hop = { target, provider, dialect: dialect.name, streamUsage: 'as-asked' } as const
  const built = buildRequest(outgoing, hop)
  const spoken = spokenOf(provider, dialect.name)
  const asked = target.model ?? count.model
  const path = provider.place?.({ spoken, config, operation: 'count' }, asked, false) ?? spoken.countPath ?? built.path
  const request = await signRequest({ ...built, path }, hop, credential, services.clock.now())
  count.sentTo = { upstream: name, credential: id }
  await count.limits?.atUpstream(target)
  recordTokenCount(count, 'The principal may use this model.')
  const place = { upstream: target.upstream, model: asked, credential: id, isStream: undefined }
  const answered = await sendObserved(services.upstreams, place, request, origin.signal).catch((error: unknown) =>
    Promise.reject(describeFailure(error, name)),
  )
  const secrets = secretsOf(credential, target)
  const { exchange } = answered
  const routed: RoutedResponse = { target, provider, dialect: dialect.name, credential: id, response: answered, exchange, secrets }
  if (answered.status >= 400) {
    const told = await readFailure(count, routed)
    origin.outlet.head(told.status, told.headers)
    origin.outlet.end(told.body)
    return told.failure
  }
  const text = maskSecrets(await collectBody(answered, maxAnswerBytes, name), secrets)
  origin.outlet.head(answered.status, {
    ...answerHeaders(count, routed, String(answered.headers['content-type'] ?? 'application/json')),
    'content-length': text.length,
  })
  origin.outlet.end(text)
  return undefined
}

function answerEstimate(count: TokenCount): undefined {
  recordTokenCount(count, 'Estimated here: no upstream of the route counts.')
  const text = JSON.stringify(count.dialect.countAnswer?.(estimate(count.read.body.json)) ?? {})
  const { modelCall, session, turn, origin } = count
  origin.outlet.head(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'x-turnward-call': modelCall,
    'x-turnward-session': session.id,
    'x-turnward-turn': turn,
    'x-turnward-estimated': 'true',
  })
  origin.outlet.end(text)
}

// Four bytes to a token: close enough to decide when to compact a conversation, which is what it is asked for.
function estimate(body: JsonObject): number {
  const { model: _model, stream: _stream, ...content } = body
  return Math.ceil(Buffer.byteLength(JSON.stringify(content)) / 4)
}
