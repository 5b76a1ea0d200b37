/** What an HTTP request presents. Looks at its connection only when a way asks. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Hop, HopCertificate, Presented } from './way.ts'

export function presentedBy(request: IncomingMessage): Presented {
  return {
    headers: request.headers,
    method: request.method,
    url: request.url,
    get hop() {
      return hopOf(request)
    },
  }
}

const hops = new WeakMap<Socket, Hop>()

/** The other end of the connection a request came on; read once for each connection. */
export function hopOf({ socket }: Pick<IncomingMessage, 'socket'>): Hop {
  let hop = hops.get(socket)
  if (hop === undefined) {
    hop = { address: socket.remoteAddress ?? '', certificate: socket instanceof TLSSocket ? certificateOf(socket) : undefined }
    hops.set(socket, hop)
  }
  return hop
}

function certificateOf(socket: TLSSocket): HopCertificate | undefined {
  if (!socket.authorized) return undefined
  const { subjectaltname: names, fingerprint256: fingerprint, valid_to: until } = socket.getPeerCertificate()
  if (names === undefined) return undefined
  // Node puts names with unusual characters in quotes, commas escaped.
  return { names: names.split(', '), fingerprint: fingerprint.replaceAll(':', '').toLowerCase(), expires: Date.parse(until) }
}
