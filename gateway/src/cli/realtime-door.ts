/** How a WebSocket comes in: the key wherever a browser can put it, the handshake, and an answer with a reason where there is none. */
import { type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { Cancellation } from '../core/cancellation.ts'
import { TurnwardError } from '../core/error.ts'
import { queryOf } from '../core/request-target.ts'
import type { RealtimeOrigin } from '../turns/realtime/realtime-call.ts'
import type { Upgrade } from './entrance-table.ts'
import { answerPlainError } from './plain-errors.ts'
import { endWithGrace } from './unreadable-requests.ts'
import { hopOf } from '../identity/ways/presented-by.ts'
import type { RefusedPath } from './refused-paths.ts'

const ephemeral = 'a key that the vendor gives out would go around this gateway: connect to `/v1/realtime` with a virtual key'

/** What belongs to realtime sessions and is not relayed, by name. */
export const refusedRealtimePaths: readonly RefusedPath[] = [
  { path: '/v1/realtime/calls', why: 'sound over WebRTC and SIP does not pass here: connect to `/v1/realtime` as a WebSocket' },
  { path: '/v1/realtime/calls/{rest...}', why: 'sound over WebRTC and SIP does not pass here: connect to `/v1/realtime` as a WebSocket' },
  { path: '/v1/realtime/client_secrets', why: ephemeral },
  { path: '/v1/realtime/sessions', why: ephemeral },
  { path: '/v1/realtime/transcription_sessions', why: ephemeral },
  { path: '/v1/realtime/translations', why: 'translation sessions are not relayed' },
  { path: '/v1/realtime/translations/{rest...}', why: ephemeral },
]

/** Sessions of one process at the same time. */
const mostSessions = 1000

export function asksForSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket'
}

export class RealtimeDoor {
  readonly #running = new Set<Cancellation>()
  #isClosed = false
  #onEmpty: (() => void) | undefined

  /** Throws `realtime.too_many`, or `gateway.draining` once it is closed. */
  origin({ request, socket, head }: Upgrade): RealtimeOrigin {
    if (this.#isClosed) throw new TurnwardError('gateway.draining', { retryAfterSeconds: 1 })
    if (this.#running.size >= mostSessions)
      throw new TurnwardError('realtime.too_many', { why: `${mostSessions} in one process`, retryAfterSeconds: 10 })
    const cancellation = new Cancellation()
    this.#running.add(cancellation)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => {
      this.#running.delete(cancellation)
      if (this.#running.size === 0) this.#onEmpty?.()
      cancellation.cancel(new TurnwardError('request.cancelled'))
    })
    return {
      headers: withKey(request.headers),
      hop: hopOf(request),
      query: new URLSearchParams(queryOf(request)),
      signal: cancellation,
      cancel: (reason) => cancellation.cancel(reason),
      accept: (headers, maxMessageBytes, onMessage) => shakeHands({ request, socket, head }, headers, maxMessageBytes, onMessage),
    }
  }

  /** The gateway stops: whoever is here is told to come back, and has a moment to hear it. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#running.size === 0) return
    const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve))
    for (const cancellation of this.#running) cancellation.cancel(new TurnwardError('gateway.draining'))
    await empty
  }
}

const keyProtocol = 'openai-insecure-api-key.'

/** A browser has no other place for a key than the list of protocols, which goes no further than here. */
function withKey(given: IncomingHttpHeaders): IncomingHttpHeaders {
  const { 'sec-websocket-protocol': protocols = '', ...headers } = given
  const keys = protocols.split(',').flatMap((one) => (one.trim().startsWith(keyProtocol) ? [one.trim().slice(keyProtocol.length)] : []))
  const [key, ...more] = new Set(keys)
  if (key === undefined) return headers
  if (more.length > 0 || headers.authorization !== undefined)
    throw new TurnwardError('request.invalid', { subject: 'sec-websocket-protocol', why: 'the request carries two credentials' })
  return { ...headers, authorization: `Bearer ${key}` }
}

async function shakeHands(
  { request, socket, head }: Upgrade,
  headers: OutgoingHttpHeaders,
  maxPayload: number,
  onMessage: (data: Buffer, isBinary: boolean) => void,
): Promise<WebSocket> {
  const { WebSocketServer } = await import('ws')
  return new Promise((resolve, reject) => {
    if (socket.destroyed) return reject(new TurnwardError('request.cancelled'))
    const server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload,
      // One of those the client has asked for, and never the one with its key.
      handleProtocols: (protocols) => protocols.has('realtime') && 'realtime',
    })
    server.on('headers', (lines) => {
      for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${String(value)}`)
    })
    server.on('wsClientError', (cause) => reject(new TurnwardError('request.invalid', { subject: 'upgrade', why: cause.message, cause })))
    server.handleUpgrade(request, socket, head, (client) => {
      // At once: what came with the handshake is read before anybody who waits for it goes on.
      client.on('message', (data, isBinary) => onMessage(data as Buffer, isBinary))
      // An error that nobody hears ends the process; whoever has the session hears of its close.
      client.on('error', () => client.terminate())
      resolve(client)
    })
  })
}

/** Answers with the error as to any other request; a session that had begun has told it itself. */
export function refuseUpgrade({ request, socket }: Upgrade, thrown: unknown): void {
  if (socket.destroyed || !socket.writable) return
  const response = new ServerResponse(request)
  socket.on('error', () => socket.destroy())
  response.assignSocket(socket as Duplex as Parameters<ServerResponse['assignSocket']>[0])
  response.once('finish', () => {
    response.detachSocket(socket as Duplex as Parameters<ServerResponse['detachSocket']>[0])
    endWithGrace(socket)
  })
  answerPlainError(request, response, thrown)
}
