/**
 * The legacy era on our side (2024-11-05 to 2025-11-25 over Streamable HTTP): a handshake, a session, and calls
 * that outlive a lost connection. Only `notifications/cancelled` and deadlines end a call.
 */
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { McpWishes } from '../../state/state-values.ts'
import { readId, readMessage, resultText, type RpcMessage, type RpcRequest } from '../codec/json-rpc.ts'
import { errorAnswer, errorText, invalidRequest, methodNotFound } from '../codec/rpc-errors.ts'
import { batchVersion, latestLegacyVersion, legacyVersions, supportedVersions } from '../codec/versions.ts'
import { abortedError, waitFor } from '../connectors/cancelling.ts'
import { implementation } from '../connectors/opening.ts'
import { resultMessage, textOfOutgoing, type Outgoing } from '../large/large-result.ts'
import type { McpContext } from '../operations.ts'
import { offersOf } from '../asks.ts'
import { appsExtension } from '../extensions.ts'
import { streamChanges } from './change-stream.ts'
import { capabilities, methodOf } from './methods.ts'
import type { LegacySession, LegacySessions } from './legacy-sessions.ts'
import { clientOf } from './client-info.ts'
import type { Arrival, EndpointParts } from './parts.ts'
import { endAccepted, endJson, Reply, type MessageStream } from './reply.ts'
import { accepts, single } from './post-headers.ts'

const longestBatch = 50

/** What the handshake comes to: the answer, and whom it is with. */
export interface Initialized {
  readonly text: string
  readonly session: Omit<LegacySession, 'id'>
}

/** The handshake: the client's version when we speak it, else our latest (2025-11-25, lifecycle). Throws `grant.gateway`. */
export function initialize(parts: EndpointParts, arrival: Arrival, message: RpcRequest): Initialized {
  const wanted = message.params.protocolVersion
  const version = typeof wanted === 'string' && legacyVersions.includes(wanted) ? wanted : latestLegacyVersion
  const client = clientOf(message.params.clientInfo)
  // Tasks of the extension are of the modern era only.
  const offers = offersOf(message.params.capabilities, [appsExtension])
  const session = { version, client, offers }
  const opened = parts.operations.openGateway(contextOf(arrival, { id: '', ...session }))
  const instructions = opened.instructions === undefined ? {} : { instructions: opened.instructions }
  const result = { protocolVersion: version, capabilities, serverInfo: implementation, ...instructions }
  return { text: resultText(message.id, result), session }
}

/** Answers the handshake with a session. */
export function answerInitialize(parts: EndpointParts, sessions: LegacySessions, arrival: Arrival, message: RpcRequest): void {
  const { caller, gateway, response } = arrival
  try {
    const { text, session } = initialize(parts, arrival, message)
    endJson(response, 200, text, { 'mcp-session-id': sessions.mint(caller.principal.id, gateway, session) })
  } catch (error) {
    const answer = errorAnswer(parts.logger, message, error)
    endJson(response, answer.status, answer.text)
  }
}

/** The session of a request. Throws `request.invalid` (400) without an id, `mcp.session` (404) for one we do not know. */
export async function sessionOf(sessions: LegacySessions, { request, caller, gateway }: Arrival): Promise<LegacySession> {
  const token = single(request.headers['mcp-session-id'])
  if (token === undefined)
    throw new TurnwardError('request.invalid', {
      why: '`Mcp-Session-Id` is missing',
      fix: 'Initialize first, or send the `_meta` of protocol version 2026-07-28.',
    })
  const session = await sessions.open(token, caller.principal.id, gateway)
  if (session === undefined) throw new TurnwardError('mcp.session')
  const version = single(request.headers['mcp-protocol-version'])
  if (version !== undefined && !legacyVersions.includes(version))
    throw new TurnwardError('request.invalid', {
      subject: 'MCP-Protocol-Version',
      why: `it must be one of ${supportedVersions.join(', ')}`,
    })
  return session
}

/** Answers one message of a session. */
export async function answerLegacy(
  parts: EndpointParts,
  sessions: LegacySessions,
  arrival: Arrival,
  session: LegacySession,
  message: RpcMessage,
): Promise<void> {
  if (message.kind === 'invalid') return endJson(arrival.response, 400, errorText(undefined, invalidRequest(message.why)))
  if (message.kind !== 'request') {
    if (message.kind === 'notification') takeNotification(sessions, session, message.method, message.params)
    else sessions.answered(session, message)
    return endAccepted(arrival.response)
  }
  const keepAliveMs = accepts(arrival.request, 'text/event-stream') ? arrival.snapshot.settings.turns.keep_alive_ms : undefined
  // Older clients read the event that only has an id as a message.
  const isResumable = session.version >= latestLegacyVersion
  const reply = new Reply(arrival.response, keepAliveMs, isResumable ? () => sessions.resumable.begin(session.id) : undefined)
  const outcome = await answerRequest(parts, sessions, arrival, session, message, reply)
  reply.end(outcome.text, outcome.status)
}

/** Answers a JSON-RPC batch, which only 2025-03-26 has. */
export async function answerBatch(
  parts: EndpointParts,
  sessions: LegacySessions,
  arrival: Arrival,
  session: LegacySession,
  batch: readonly unknown[],
): Promise<void> {
  const refuse = (why: string): void => endJson(arrival.response, 400, errorText(undefined, invalidRequest(why)))
  if (session.version !== batchVersion) return refuse(`batches exist only in protocol version ${batchVersion}`)
  if (batch.length === 0 || batch.length > longestBatch) return refuse(`a batch must have 1 to ${longestBatch} messages`)
  const answers: Promise<string>[] = []
  for (const item of batch) {
    const message = readMessage(item)
    if (message.kind === 'invalid') answers.push(Promise.resolve(errorText(undefined, invalidRequest(message.why))))
    if (message.kind === 'notification') takeNotification(sessions, session, message.method, message.params)
    if (message.kind === 'request')
      answers.push(answerRequest(parts, sessions, arrival, session, message, undefined).then(({ text }) => textOfOutgoing(text)))
  }
  if (answers.length === 0) return endAccepted(arrival.response)
  endJson(arrival.response, 200, `[${(await Promise.all(answers)).join(',')}]`)
}

/** The standalone GET stream: what has changed, until either side ends it. */
export async function answerStream(
  parts: EndpointParts,
  sessions: LegacySessions,
  arrival: Arrival,
  session: LegacySession,
): Promise<void> {
  if (!accepts(arrival.request, 'text/event-stream'))
    throw new TurnwardError('request.invalid', { status: 406, why: '`accept` must list `text/event-stream`' })
  const context = contextOf(arrival, session)
  parts.operations.openGateway(context)
  arrival.release()
  // Who lost the stream of a request comes back for the rest of it.
  const resumed = sessions.resumable.find(session.id, single(arrival.request.headers['last-event-id']) ?? '')
  if (resumed !== undefined) return resumed.stream.follow(resumed.from, arrival.response)
  // Not kept alive before it opens: a comment would be the head that an error status needs.
  let reply: Reply | undefined
  const end = (): void => reply?.finish()
  let detach: (() => void) | undefined
  try {
    await streamChanges(parts, context, arrival, {
      uris: async () => (await sessions.wishes(session)).watched ?? [],
      open(refresh) {
        reply = new Reply(arrival.response, arrival.snapshot.settings.turns.keep_alive_ms)
        reply.open()
        detach = sessions.attach(session, { end, refresh })
      },
      changed() {
        for (const list of ['tools', 'resources', 'prompts']) reply?.notify(`notifications/${list}/list_changed`)
      },
      updated: (uri) => reply?.notify('notifications/resources/updated', { uri }),
      end,
    })
  } finally {
    detach?.()
  }
}

/** The answer to a request: a message, and the status it has where it is the answer of its own HTTP request. */
export interface Outcome {
  readonly text: Outgoing
  readonly status: number
}

/** Answers one request of a session. Never rejects. */
export async function answerRequest(
  parts: EndpointParts,
  sessions: LegacySessions,
  arrival: Arrival,
  session: LegacySession,
  message: RpcRequest,
  reply: MessageStream | undefined,
): Promise<Outcome> {
  const context = contextOf(arrival, session)
  const running = sessions.started(session, message.id)
  const cut = (): void => running.cancel(abortedError(arrival.cut))
  arrival.cut.addEventListener('abort', cut, { once: true })
  try {
    const method = methodOf('legacy', message.method)
    if (method === undefined) return { status: 200, text: errorText(message.id, methodNotFound) }
    // A client may ask whether we live, whatever has become of its grants.
    if (message.method !== 'ping') parts.operations.openGateway(context)
    const ask = reply?.takesStream === true ? sessions.askingOn(session, reply, running.signal) : undefined
    const wishes = { change: (change: (before: McpWishes) => McpWishes) => sessions.wish(session, change) }
    const logLevel = reply?.takesStream === true ? await sessions.logLevel(session) : undefined
    const run = method({ parts, arrival, context, message, signal: running.signal, reply, ask, wishes, logLevel })
    const result = await waitFor(Promise.resolve(run), arrival.cut)
    return { status: 200, text: resultMessage(message.id, result ?? {}) }
  } catch (error) {
    const { text, status } = errorAnswer(parts.logger, message, error)
    // A status of its own is of the modern era only.
    return { text, status: error instanceof TurnwardError && error.code === 'mcp.missing_capability' ? 200 : status }
  } finally {
    arrival.cut.removeEventListener('abort', cut)
    running.done()
  }
}

/** Takes what a client tells of by itself. */
export function takeNotification(sessions: LegacySessions, session: LegacySession, method: string, params: JsonObject): void {
  const id = method === 'notifications/cancelled' ? readId(params.requestId) : undefined
  if (id !== undefined) sessions.cancel(session, id)
}

/** The context of a request of a session. */
export function contextOf({ request, caller, snapshot, gateway }: Arrival, session: LegacySession): McpContext {
  return {
    caller,
    snapshot,
    gateway,
    client: session.client,
    protocolVersion: session.version,
    offers: session.offers,
    headers: request.headers,
  }
}
