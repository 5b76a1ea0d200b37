/**
 * Answers what cannot be read as a request: not HTTP, a head that is too large or too slow. Node's own answer destroys the
 * connection at once, and with bytes still arriving the client is told of a reset instead of the reason.
 */
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { TurnwardError } from '../core/error.ts'

/** How long a client that is still sending gets to read the answer. */
const graceMs = 1000
const answered = new WeakSet<Duplex>()

/** Listener for `clientError` of an HTTP server. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  // Whatever arrives afterwards cannot be read either.
  if (answered.has(socket)) return
  answered.add(socket)
  // The answer under way on this connection, which Node keeps here.
  const { _httpMessage: running } = socket as Duplex & { _httpMessage?: ServerResponse | null }
  if (error.code === 'ECONNRESET' || !socket.writable || running?.headersSent === true) {
    socket.destroy()
    return
  }
  refuse(socket, refusalOf(error.code))
}

/** Listener for `connect`: this is no proxy. Without it Node closes the connection and says nothing. */
export function answerTunnel(request: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => socket.destroy())
  refuse(
    socket,
    new TurnwardError('request.method', {
      subject: `${request.method}`,
      fix: 'This is no proxy; see the list of endpoints in the README.',
    }),
  )
}

function refuse(socket: Duplex, refusal: TurnwardError): void {
  const body = JSON.stringify({ error: refusal.toJSON() })
  const status = `${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}`
  socket.write(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
  socket.resume()
  endWithGrace(socket)
}

/** Ends a connection whose client may still be sending: it gets time to read what it was answered. */
export function endWithGrace(socket: Duplex): void {
  socket.end()
  setTimeout(() => socket.destroy(), graceMs).unref()
}

function refusalOf(code: string | undefined): TurnwardError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new TurnwardError('request.invalid', {
        status: 431,
        subject: 'headers',
        why: 'they are larger than 32 KiB',
        fix: 'Send fewer or shorter headers.',
      })
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new TurnwardError('request.too_large', { why: 'its chunk extensions are too long' })
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new TurnwardError('request.timeout', { why: 'its head or body was not complete in time' })
    default:
      return new TurnwardError('request.invalid', { why: 'it is not HTTP/1.1', fix: 'Speak HTTP/1.1 to this port.' })
  }
}
