/**
 * The listener as an HTTP or an HTTPS server. Its certificate, and the authorities it believes, change while it runs:
 * connections that are open go on, new ones get what counts then.
 */
import { constants } from 'node:crypto'
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { Socket } from 'node:net'
import type { SecureContextOptions, TLSSocket } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import type { Snapshot } from '../config/snapshot.ts'
import { ShownCertificates } from './shown-certificates.ts'

/** As it is in the configuration, checked. */
export type ListenTls = NonNullable<Snapshot['settings']['listen']['tls']>

export interface Listener {
  readonly server: Server
  readonly scheme: 'http' | 'https'
  /** Hears of every connection that requests can come on. */
  onConnection(listener: (socket: Socket) => void): void
  /** Ends connections on which nobody has said yet who it is, and whatever else would not end by itself. */
  endHandshakes(): void
  /** New connections get this certificate; nothing changes when it is the one they get already. */
  use(tls: ListenTls | undefined): void
}

export interface ListenerOptions {
  readonly http: ServerOptions
  readonly tls: ListenTls | undefined
  /** How long a client may take until it can send its request. */
  readonly handshakeMs: number
  readonly onRequest: RequestListener
}

/** Not listening yet. */
export function createListener({ http, tls, handshakeMs, onRequest }: ListenerOptions): Listener {
  if (tls === undefined) {
    const server = createServer(http, onRequest)
    return {
      server,
      scheme: 'http',
      onConnection(listener) {
        server.on('connection', listener)
      },
      endHandshakes: () => {},
      use: () => {},
    }
  }
  const server = createSecureServer(
    {
      ...http,
      ...contextOf(tls),
      handshakeTimeout: handshakeMs,
      requestCert: tls.client_certificates !== 'none',
      rejectUnauthorized: tls.client_certificates === 'require',
    },
    onRequest,
  )
  const shaking = new Map<string, Socket>()
  server.on('connection', (connected) => {
    const socket = connected as Socket
    const place = placeOf(socket)
    shaking.set(place, socket)
    socket.once('close', () => {
      if (shaking.get(place) === socket) shaking.delete(place)
    })
  })
  const shown = new ShownCertificates()
  server.on('secureConnection', (socket) => {
    shaking.delete(placeOf(socket))
    shown.connected(socket)
  })
  // Node's own listener would have an answer written to somebody who cannot read it.
  server.removeAllListeners('tlsClientError')
  server.on('tlsClientError', (_error: Error, socket: TLSSocket) => socket.destroy())
  let used = tls
  return {
    server,
    scheme: 'https',
    onConnection(listener) {
      server.on('secureConnection', listener)
    },
    endHandshakes() {
      for (const socket of shaking.values()) socket.destroy()
    },
    use(next) {
      if (next === undefined || isDeepStrictEqual(next, used)) return
      server.setSecureContext(contextOf(next))
      if (next.client_ca !== used.client_ca) shown.believeOnly(next.client_ca ?? '')
      used = next
    },
  }
}

function contextOf({ certificate, key, client_ca: authority, min_version: version }: ListenTls): SecureContextOptions {
  return {
    cert: certificate,
    key,
    minVersion: version === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
    // A session that is resumed brings its certificate from before: who is believed is decided on every connection.
    ...(authority === undefined ? {} : { ca: authority, secureOptions: constants.SSL_OP_NO_TICKET }),
  }
}

/** The other end, unlike that of any other connection that is open. */
function placeOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`
}
