/** The listening side: what a connection may cost, and the order of stopping: no new work, running work finishes, then the doors close. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Server as SocketServer } from 'node:net'
import { TurnwardError } from '../core/error.ts'
import type { Services } from '../turns/services.ts'
import { Draining } from './draining.ts'
import { createDispatch, createUpgrade, entrancesOf, type Behind, type McpEndpoint } from './entrances.ts'
import type { CrewMember } from './gateway.ts'
import type { Health } from './health.ts'
import type { ClusterMembership } from './joining-cluster.ts'
import { asksForSocket, RealtimeDoor } from './realtime-door.ts'
import { answerPlainError } from './plain-errors.ts'
import { createListener, type ListenTls } from './secure-listener.ts'
import { answerTunnel, answerUnreadable, endWithGrace } from './unreadable-requests.ts'

export interface HttpServer {
  /** `http://host:port` it listens on, or `https://…`. */
  readonly url: string
  /** Requests that are being answered. */
  readonly running: number
  /**
   * Stops taking work, waits for running requests at most `drainMs`, then closes every connection. `endStreams`: ends what
   * would keep it waiting all that time; called when no more requests are answered.
   */
  close(drainMs: number, endStreams: () => Promise<void>): Promise<void>
  /** New connections are met with this certificate. */
  use(tls: ListenTls | undefined): void
}

export async function listen(
  services: Services,
  mcp: McpEndpoint,
  health: Health,
  cluster: ClusterMembership | undefined,
  { rooms, sessions, config }: Pick<Behind, 'rooms' | 'sessions' | 'config'>,
  crew?: Pick<CrewMember, 'whole' | 'processes'>,
): Promise<HttpServer> {
  const { listen: at, limits } = services.snapshot().settings
  const draining = new Draining()
  const isDraining = (): boolean => draining.hasBegun
  const realtime = new RealtimeDoor()
  const entrances = entrancesOf({ services, mcp, health, cluster, isDraining, realtime, whole: crew?.whole, rooms, sessions, config })
  const dispatch = createDispatch(entrances, () => draining.refuses)
  const upgrade = createUpgrade(entrances, isDraining)

  const listener = createListener({
    tls: at.tls,
    handshakeMs: limits.header_timeout_ms,
    http: {
      // A request's head must be complete within this time; its body has a deadline of its own.
      headersTimeout: limits.header_timeout_ms,
      // The net below every other deadline: nobody keeps a connection by sending a body for ever.
      requestTimeout: limits.header_timeout_ms + limits.body_timeout_ms + 5000,
      connectionsCheckingInterval: Math.min(1000, limits.header_timeout_ms),
      maxHeaderSize: 32 * 1024,
      keepAliveTimeout: 65_000,
      // Any other protocol a client would rather speak is passed over (RFC 9110, section 7.8).
      shouldUpgradeCallback: asksForSocket,
      // Missing ones are refused by us, with an envelope.
      requireHostHeader: false,
    },
    onRequest(request, response) {
      response.on('finish', closeUnread)
      response.on('prefinish', endUnreadAnswer)
      draining.answering(request, response)
      dispatch(request, response)
    },
  })
  const { server } = listener
  listener.onConnection((socket) => draining.connected(socket))
  server.on('upgrade', (request, socket, head) => upgrade({ request, socket, head }))
  server.on('clientError', answerUnreadable)
  server.on('connect', answerTunnel)
  server.on('checkExpectation', refuseExpectation)
  server.maxConnections = Math.ceil(limits.max_connections / (crew?.processes ?? 1))
  server.setTimeout(0)
  await bind(server, at.host, at.port)
  return {
    url: urlOf(server, listener.scheme),
    get running() {
      return draining.running
    },
    async close(drainMs, endStreams) {
      // Not as an HTTP server closes: that would cut connections on which a request is on its way.
      const closed = new Promise<void>((resolve) => SocketServer.prototype.close.call(server, () => resolve()))
      const deadline = setTimeout(() => server.closeAllConnections(), drainMs)
      listener.endHandshakes()
      await realtime.close()
      await draining.begin()
      await endStreams()
      await closed
      clearTimeout(deadline)
    },
    use: (tls) => listener.use(tls),
  }
}

// Node answers with an empty body.
function refuseExpectation(request: IncomingMessage, response: ServerResponse): void {
  response.on('finish', closeUnread)
  answerPlainError(
    request,
    response,
    new TurnwardError('request.invalid', { status: 417, subject: 'expect', why: 'only `100-continue` can be met' }),
  )
}

/** How long a finished answer may wait for a client that does not read it. */
const unreadAnswerMs = 60_000

function endUnreadAnswer(this: ServerResponse): void {
  // The kernel has taken all of it.
  if (this.writableLength === 0) return
  const timer = setTimeout(() => this.destroy(), unreadAnswerMs)
  this.once('close', () => clearTimeout(timer))
}

// An answer given before the body was read (a refusal, mostly) ends the connection: what is left of the body would
// have to be read, from somebody who may never end it.
function closeUnread(this: ServerResponse): void {
  // The end of a small body may be read just after the body itself.
  if (!this.req.complete) setImmediate(endUnread, this.req)
}

function endUnread(request: IncomingMessage): void {
  if (request.complete) return
  request.resume()
  endWithGrace(request.socket)
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'the port is in use' : (cause.code ?? cause.message)
      reject(
        new TurnwardError('config.invalid', {
          subject: `listen ${host}:${port}`,
          why,
          fix: 'Choose another `listen.port`, or stop what uses it.',
          cause,
        }),
      )
    })
    server.listen(port, host, () => resolve())
  })
}

function urlOf(server: Server, scheme: 'http' | 'https'): string {
  const address = server.address()
  if (address === null || typeof address === 'string') return String(address)
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `${scheme}://${host}:${address.port}`
}
