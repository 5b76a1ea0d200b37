/**
 * The life of a realtime session, top to bottom: who calls, which model is granted, whose credential is used, and that it is
 * on record before the upstream is asked; then both sides are heard until one of them leaves.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import type { WebSocket } from 'ws'
import type { Route, RouteTarget, Snapshot } from '../../config/snapshot.ts'
import type { CancelSignal } from '../../core/cancellation.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { newId, randomText } from '../../core/ids.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Caller } from '../../core/principal.ts'
import type { Hop } from '../../identity/ways/way.ts'
import { resolveCredential } from '../../identity/credentials.ts'
import { pause } from '../../models/balancing/pausing.ts'
import type { RunningExchange } from '../../models/balancing/running-exchange.ts'
import { openSocket } from '../../models/opening-socket.ts'
import { providers } from '../../providers/providers.ts'
import { noopTelemetry } from '../../telemetry/noop.ts'
import { CallGate } from '../../wire/realtime/call-gate.ts'
import { errorEvent } from '../../wire/realtime/error-event.ts'
import { chooseForOperation, routingField } from '../answering/choosing-upstreams.ts'
import { authoriseModel } from '../deciding/authorising-model.ts'
import { refuseOnRecord } from '../model-call.ts'
import { traceHeaders } from '../origins/call-origin.ts'
import { requireConversation } from '../prompts/adding-messages.ts'
import { refuseUnheard } from '../guards/guarding-operations.ts'
import { reserveForOperation } from '../limiting/reserving-for-operation.ts'
import { recordOperation, recordOperationOutcome, recordRefusedOperation, type OperationCall } from '../recording/recording-operation.ts'
import type { Services } from '../services.ts'
import { sessionNames } from '../stops/standing-stops.ts'
import { requireSession } from '../stops/stopped-tool.ts'
import { beginSession, Conversation } from './conversation.ts'
import { hearClient } from './hearing-client.ts'
import { UpstreamEar } from './hearing-upstream.ts'
import { keepAlive } from './keeping-alive.ts'
import { Lane } from './lane.ts'

/** Who wants a session, and how it gets its answer. */
export interface RealtimeOrigin {
  /** The caller's key is in `authorization`, wherever it came. */
  readonly headers: IncomingHttpHeaders
  readonly hop?: Hop | undefined
  readonly query: URLSearchParams
  /** Aborted when the client goes away before it is answered, or the gateway stops. */
  readonly signal: CancelSignal
  /** Ends the session for a reason that its client is told. */
  cancel(reason: TurnwardError): void
  /** Completes the handshake. `onMessage` is told of each message, from the first. */
  accept(headers: OutgoingHttpHeaders, maxMessageBytes: number, onMessage: (data: Buffer, isBinary: boolean) => void): Promise<WebSocket>
}

/** Rejects with why there is no session. Resolves when it is over. */
export async function runRealtime(gateway: Services, origin: RealtimeOrigin): Promise<void> {
  const started = gateway.clock.monotonic()
  const snapshot = gateway.snapshot()
  // Who is calling comes first.
  const caller = await gateway.authenticator.authenticate(origin, snapshot, 'models')
  const exit = gateway.live.enter(caller, origin)
  try {
    await runSession({ gateway, origin, snapshot, caller, started })
  } finally {
    exit()
  }
}

interface Opening {
  readonly gateway: Services
  readonly origin: RealtimeOrigin
  readonly snapshot: Snapshot
  readonly caller: Caller
  /** On the monotonic clock. */
  readonly started: number
}

async function runSession({ gateway, origin, snapshot, caller, started }: Opening): Promise<void> {
  const model = readQuery(origin.query)
  const span = noopTelemetry.startModelCall({ requestModel: model, dialect: 'realtime', stream: true, ...traceHeaders(origin) })
  const session = await beginSession(gateway, snapshot, caller, origin.headers)
  const asked = {
    services: gateway,
    snapshot,
    caller,
    session,
    turn: null,
    span,
    modelCall: newId('mc'),
    operation: 'realtime',
    model,
  } as const
  const { route, source } = refuseOnRecord(
    () => {
      requireSession(gateway, session)
      const authorised = authoriseModel(snapshot, model, { caller, headers: origin.headers, dialect: 'realtime' })
      requireConversation(authorised.route, 'realtime')
      return authorised
    },
    (error) => recordRefusedOperation(asked, error),
  )
  const call: OperationCall = { ...asked, decision: newId('dec'), grant: source, route: route.model, sentTo: undefined, leftOut: [] }
  refuseUnheard(call, origin, route)
  call.limits = await reserveForOperation(call, route, undefined)
  const presented = origin
  const conversation = new Conversation({ services: gateway, snapshot, caller, presented, session, span, model, grant: source })
  const exit = gateway.live.enterAs(sessionNames(session.state), origin)
  let failure: TurnwardError | undefined
  try {
    failure = await converse(call, conversation, origin, route)
  } catch (error) {
    failure = asTurnwardError(error)
    throw failure
  } finally {
    exit()
    recordOperationOutcome(call, started, failure)
    await call.limits?.settle([], call.sentTo !== undefined)
  }
}

/** Opens both sides and hears them until it is over. Resolves with what ended it, if anything went wrong. */
async function converse(
  call: OperationCall,
  conversation: Conversation,
  origin: RealtimeOrigin,
  route: Route,
): Promise<TurnwardError | undefined> {
  const { limits } = call.snapshot.settings
  const gate = new CallGate(limits.max_event_bytes)
  const sides: { client?: WebSocket; upstream?: WebSocket } = {}
  const toClient = (text: string): void => sides.client?.send(text, ignore)
  const toUpstream = (text: string): void => sides.upstream?.send(text, ignore)
  const tell = (error: TurnwardError, about?: JsonObject): void => {
    const { status, code, message } = error
    const turn = conversation.turn ?? undefined
    toClient(errorEvent(`event_${randomText(20)}`, { status, code, message, turn }, about?.event_id))
  }
  let failure: TurnwardError | undefined
  let finish: () => void = () => {}
  const over = new Promise<void>((resolve) => (finish = resolve))
  const fail = (thrown: unknown): void => {
    if (failure === undefined) {
      failure = asTurnwardError(thrown)
      if (failure.code !== 'request.cancelled') tell(failure)
    }
    finish()
  }
  const ear = new UpstreamEar({
    conversation,
    gate,
    logger: call.services.telemetry.logger,
    toClient,
    toUpstream,
    onExhausted: (names) =>
      tell(new TurnwardError('policy.refused', { subject: names.join(', ').slice(0, 200), turn: conversation.turn ?? undefined })),
  })
  const fromUpstream = new Lane(({ data, isBinary }) => ear.hear(data, isBinary), fail)
  const fromClient = new Lane(({ data, isBinary }) => hearClient({ conversation, gate, toUpstream, refuse: tell }, data, isBinary), fail)
  const upstream = (sides.upstream = await openUpstream(call, conversation, origin, route, fromUpstream.take))
  let client: WebSocket
  try {
    client = sides.client = await origin.accept(
      { 'x-turnward-session': conversation.session, 'x-turnward-call': call.modelCall ?? '' },
      limits.max_event_bytes,
      fromClient.take,
    )
  } catch (error) {
    upstream.terminate()
    throw error
  }
  client.on('error', (cause) => fail(clientFailure(cause, limits.max_event_bytes)))
  client.on('close', () => fromClient.whenIdle(finish))
  const { upstream: name } = conversation.attempt ?? {}
  upstream.on('error', (cause) => fail(new TurnwardError('upstream.malformed', { subject: name, why: 'it broke the protocol', cause })))
  upstream.on('close', (code) =>
    fromUpstream.whenIdle(() => {
      if (isRegular(code)) finish()
      else fail(new TurnwardError('upstream.failed', { subject: name, why: `it closed the session (${code})` }))
    }),
  )
  // A client that leaves properly is heard of by its close.
  const onStop = (): void => {
    if (client.readyState === client.OPEN) fail(origin.signal.reason)
  }
  origin.signal.addEventListener('abort', onStop)
  if (origin.signal.aborted) onStop()
  const stopKeeping = keepAlive(client, upstream, () => conversation.renew(), fail)
  fromUpstream.begin(upstream, client)
  fromClient.begin(client, upstream)
  if (client.readyState !== client.OPEN || upstream.readyState !== upstream.OPEN) finish()
  await over
  stopKeeping()
  fromClient.stop()
  fromUpstream.stop()
  origin.signal.removeEventListener('abort', onStop)
  // Closing one side closes the other.
  close(client, closeCode(failure))
  close(upstream, 1000)
  return failure
}

/** The first upstream of the route that takes the session. That it is asked is on record before. */
async function openUpstream(
  call: OperationCall,
  conversation: Conversation,
  { headers, signal }: RealtimeOrigin,
  route: Route,
  onMessage: (data: Buffer, isBinary: boolean) => void,
): Promise<WebSocket> {
  const { services, snapshot, caller, model } = call
  const places = placesFor(route, model)
  const attempts = await chooseForOperation(call, route, [...places.keys()])
  const { health } = services.upstreams
  for (let target = attempts.take(); target !== undefined; target = attempts.take()) {
    const { upstream } = target
    let exchange: RunningExchange | undefined
    try {
      const { id, credential } = await resolveCredential(snapshot, caller, upstream.name, services.clock.now(), services.credentials)
      await call.limits?.atUpstream(target)
      call.sentTo = { upstream: upstream.name, credential: id }
      call.routing = routingField(attempts, target).routing
      conversation.sentTo(target, id)
      recordOperation(call)
      exchange = health.begin({ upstream, model: target.model ?? model, credential: id, isStream: undefined })
      const socket = await openSocket({
        target,
        path: places.get(target) ?? '',
        credential,
        now: services.clock.now(),
        clientHeaders: headers,
        ...traceHeaders({ headers }),
        maxMessageBytes: snapshot.settings.limits.max_event_bytes,
        signal,
        onMessage,
      })
      exchange.completed()
      return socket
    } catch (error) {
      const { code } = asTurnwardError(error)
      if (!signal.aborted && code.startsWith('upstream.')) exchange?.failed('it did not open a session')
      exchange?.over()
      if (signal.aborted || !code.startsWith('upstream.')) throw error
      const wait = attempts.after(code === 'upstream.credential' ? 'elsewhere' : 'transient', code)
      if (wait === undefined) throw error
      services.telemetry.count('turnward_upstream_failovers_total', { upstream: upstream.name })
      services.telemetry.logger.warn({ upstream: upstream.name, code }, 'failing over to the next upstream')
      if (wait > 0) await pause(wait, signal)
    }
  }
  throw new TurnwardError('route.no_upstream', { subject: model })
}

/** Upstreams of a route that have realtime sessions, and where. Throws `request.unsupported` when none has. */
function placesFor(route: Route, model: string): ReadonlyMap<RouteTarget, string> {
  const places = new Map<RouteTarget, string>()
  for (const target of route.targets) {
    const { config } = target.upstream
    const place = providers[config.kind].operations?.realtime
    // Under a dated version of Azure's API the path is another one.
    if (typeof place !== 'string' || ('api_version' in config && config.api_version !== undefined)) continue
    places.set(target, `${place}?model=${encodeURIComponent(target.model ?? model)}`)
  }
  if (places.size > 0) return places
  throw new TurnwardError('request.unsupported', { subject: 'realtime', why: `no upstream of the route \`${route.model}\` has it` })
}

/** The model, which is all that may be asked for. */
function readQuery(query: URLSearchParams): string {
  for (const name of query.keys()) {
    if (name === 'model') continue
    const why =
      name === 'intent'
        ? 'transcription sessions are not relayed'
        : name === 'call_id'
          ? 'calls over WebRTC and SIP are not relayed'
          : 'only `model` is'
    throw new TurnwardError('request.unsupported', { subject: name.slice(0, 64), why })
  }
  const [model, ...more] = query.getAll('model')
  if (model === undefined || model === '' || more.length > 0)
    throw new TurnwardError('request.invalid', { subject: 'model', why: 'the query must name one model' })
  return model
}

function clientFailure(cause: Error, most: number): TurnwardError {
  const { code } = cause as { readonly code?: string }
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH')
    return new TurnwardError('request.too_large', {
      why: `an event has more than ${most} bytes`,
      fix: 'Send smaller events, or raise `limits.max_event_bytes`.',
    })
  return new TurnwardError('request.cancelled', { cause })
}

function isRegular(code: number): boolean {
  return code === 1000 || code === 1001 || code === 1005
}

/** RFC 6455, section 7.4.1. */
function closeCode(failure: TurnwardError | undefined): number {
  if (failure === undefined) return 1000
  if (failure.code === 'gateway.draining') return 1001
  return /^(?:auth|grant)\./.test(failure.code) ? 1008 : 1011
}

/** How long a side may take to say goodbye. */
const graceMs = 1000

function close(socket: WebSocket, code: number): void {
  if (socket.isPaused) socket.resume()
  socket.close(code)
  setTimeout(() => socket.terminate(), graceMs).unref()
}

/** A side that is gone is heard of by its close. */
function ignore(): void {}
