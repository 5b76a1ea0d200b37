/**
 * `/mcp/{gateway}`: one endpoint for both protocol eras. It speaks the wire, knows who calls, and hands the work
 * to the operations; it never decides about a tool.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Peers } from '../cluster/peers.ts'
import type { Snapshot } from '../config/snapshot.ts'
import { Cancellation } from '../core/cancellation.ts'
import type { Clock } from '../core/clock.ts'
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import { isObject } from '../core/json.ts'
import type { Logger } from '../core/logger.ts'
import type { LiveCalls } from '../identity/live-calls.ts'
import { presentedBy } from '../identity/ways/presented-by.ts'
import type { StateStore } from '../state/state-store.ts'
import type { Fleet } from './catalogue.ts'
import { readMessage, rpcCodes } from './codec/json-rpc.ts'
import { parseMessageBody } from './codec/message-body.ts'
import { errorText, httpStatusOf, invalidRequest, rpcErrorOf } from './codec/rpc-errors.ts'
import { legacyVersions, metaKeys } from './codec/versions.ts'
import { HttpWithSse } from './endpoint/http-with-sse.ts'
import { guardHost } from './endpoint/host-guard.ts'
import { answerBatch, answerInitialize, answerLegacy, answerStream, sessionOf } from './endpoint/legacy.ts'
import { LegacySessions } from './endpoint/legacy-sessions.ts'
import { answerModern } from './endpoint/modern.ts'
import { OpenStreams } from './endpoint/open-streams.ts'
import type { Arrival, EndpointParts } from './endpoint/parts.ts'
import { endAccepted, endJson } from './endpoint/reply.ts'
import { readRequestBytes } from '../wire/request/request-bytes.ts'
import { checkJsonBody, checkPostHeaders, single } from './endpoint/post-headers.ts'
import type { McpOperations } from './operations.ts'
import { createSealer } from './seal.ts'

export interface McpEndpointOptions {
  readonly operations: McpOperations
  readonly snapshot: () => Snapshot
  /** At least 32 bytes, the same on every replica: session ids and cursors are sealed with keys derived from it. */
  readonly secret: Buffer
  readonly clock: Clock
  readonly logger: Logger
  /** Checks the `Mcp-Param-*` headers of modern calls, and keeps the servers of a request's snapshot until it is answered. */
  readonly fleet?: Pick<Fleet, 'for' | 'hold'>
  /** Where it stands which legacy sessions have ended, and what others want to be told. */
  readonly state: Pick<StateStore, 'get' | 'put' | 'change'>
  /** The other processes that serve the same clients. */
  readonly peers: Peers
  /** Where requests under way are noted, so that they can be cut. */
  readonly live: Pick<LiveCalls, 'enter'>
}

export interface McpEndpoint {
  /** Answers one request; never rejects. `door`: of the transport of 2024-11-05, its stream or where messages are posted to it. */
  handle(request: IncomingMessage, response: ServerResponse, gateway: string, door?: Door): Promise<void>
  /** Ends every long stream gracefully; requests that come later are refused. */
  close(): Promise<void>
}

export function createMcpEndpoint(options: McpEndpointOptions): McpEndpoint {
  const { operations, clock, logger } = options
  const streams = new OpenStreams()
  const parts: EndpointParts = { operations, clock, logger, streams, cursors: createSealer(options.secret, 'cursor'), fleet: options.fleet }
  const sessions = new LegacySessions({
    sealer: createSealer(options.secret, 'session'),
    clock,
    state: options.state,
    peers: options.peers,
  })
  const sse = new HttpWithSse({
    parts,
    sessions,
    addresses: createSealer(options.secret, 'stream'),
    peers: options.peers,
    again: async (arrival) => {
      const snapshot = options.snapshot()
      return { ...arrival, snapshot, caller: await operations.authenticate(presentedBy(arrival.request), snapshot) }
    },
  })
  let closed = false

  const handle: McpEndpoint['handle'] = async (request, response, gateway, door) => {
    const snapshot = options.snapshot()
    const release = options.fleet?.hold(snapshot) ?? holdsNothing
    const cut = new Cancellation()
    let exit: (() => void) | undefined
    try {
      if (closed) throw new TurnwardError('gateway.draining')
      guardHost(request.headers, snapshot.settings.listen)
      checkMethod(request, door)
      const caller = await operations.authenticate(presentedBy(request), snapshot)
      exit = options.live.enter(caller, cut)
      const arrival: Arrival = { request, response, caller, snapshot, gateway, release, cut }
      if (door !== undefined) await (door === 'sse' ? sse.open(arrival) : sse.take(arrival))
      else if (request.method === 'POST') await answerPost(parts, sessions, arrival)
      else if (request.method === 'GET') await answerStream(parts, sessions, arrival, await sessionOf(sessions, arrival))
      else {
        await sessions.end(await sessionOf(sessions, arrival))
        response.writeHead(204).end()
      }
    } catch (error) {
      // A stream that only announces has nobody to tell why it ends: whoever comes back for it is.
      if (cut.aborted && response.headersSent) response.end()
      else refuse(logger, request, response, asTurnwardError(error), door)
    } finally {
      exit?.()
      release()
    }
  }
  return {
    handle,
    async close() {
      closed = true
      streams.endAll()
    },
  }
}

const holdsNothing = (): void => {}

type Door = 'sse' | 'messages' | undefined

/** GET and DELETE exist only for legacy sessions (2026-07-28, streamable-http, "Earlier Streamable HTTP Revisions"). */
function checkMethod(request: IncomingMessage, door: Door): void {
  if (door === 'sse' && request.method === 'GET') return
  if (door === 'messages' && request.method === 'POST') return checkJsonBody(request)
  if (door !== undefined) throw new TurnwardError('request.method')
  if (request.method === 'POST') return checkPostHeaders(request)
  const ofSession = (request.method === 'GET' || request.method === 'DELETE') && request.headers['mcp-session-id'] !== undefined
  if (!ofSession) throw new TurnwardError('request.method')
}

async function answerPost(parts: EndpointParts, sessions: LegacySessions, arrival: Arrival): Promise<void> {
  const { request, response, snapshot } = arrival
  const { limits } = snapshot.settings
  const body = parseMessageBody(await readRequestBytes(request, limits), { maxDepth: limits.max_depth, maxKeys: limits.max_keys })
  if (Array.isArray(body)) return answerBatch(parts, sessions, arrival, await sessionOf(sessions, arrival), body)
  const message = readMessage(body)
  // The modern era has no handshake: with modern `_meta` it is a method like any other that is not there.
  if (message.kind === 'request' && message.method === 'initialize' && !hasModernMeta(body))
    return answerInitialize(parts, sessions, arrival, message)
  if (!isModern(request, body)) return answerLegacy(parts, sessions, arrival, await sessionOf(sessions, arrival), message)
  if (message.kind === 'request') return answerModern(parts, arrival, message)
  if (message.kind === 'notification') return endAccepted(response)
  const why = message.kind === 'invalid' ? message.why : 'clients must not send responses'
  endJson(response, 400, errorText(undefined, invalidRequest(why)))
}

/** Modern `_meta` decides. Without it a session, or a header with a legacy version, means legacy; the rest is a modern request with a fault. */
function isModern(request: IncomingMessage, body: unknown): boolean {
  if (hasModernMeta(body)) return true
  if (request.headers['mcp-session-id'] !== undefined) return false
  const version = single(request.headers['mcp-protocol-version'])
  return version === undefined || !legacyVersions.includes(version)
}

function hasModernMeta(body: unknown): boolean {
  const params = isObject(body) && isObject(body.params) ? body.params : {}
  return isObject(params._meta) && Object.hasOwn(params._meta, metaKeys.protocolVersion)
}

/** Ends a request that never became an answer: status, coded error, and what a client needs to recover. */
function refuse(logger: Logger, request: IncomingMessage, response: ServerResponse, error: TurnwardError, door: Door): void {
  if (error.code === 'gateway.internal') logger.error({ error: error.cause }, 'MCP request failed')
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const headers: Record<string, string> = {}
  if (error.status === 401 || error.challenge !== undefined) headers['www-authenticate'] = error.challenge ?? 'Bearer'
  if (error.code === 'request.method') headers.allow = door === 'sse' ? 'GET' : 'POST'
  if (error.retryAfterSeconds !== undefined) headers['retry-after'] = String(error.retryAfterSeconds)
  // The rest of the body stays unread, so the connection cannot be used again.
  if (!request.complete) headers.connection = 'close'
  const status = httpStatusOf(error) === 200 ? error.status : httpStatusOf(error)
  const rpc = error.code === 'request.invalid' ? { ...rpcErrorOf(error), code: rpcCodes.invalidRequest } : rpcErrorOf(error)
  endJson(response, status, errorText(undefined, rpc), headers)
}
