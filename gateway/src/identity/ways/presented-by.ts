/** What an HTTP request presents. Looks at its connection only when a way asks. */
import type { IncomingMessage } from 'node:http'
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

/** The other end of the connection a request came on. */
export function hopOf({ socket }: Pick<IncomingMessage, 'socket'>): Hop {
  return { address: socket.remoteAddress ?? '', certificate: socket instanceof TLSSocket ? certificateOf(socket) : undefined }
}

function certificateOf(socket: TLSSocket): HopCertificate | undefined {
  if (!socket.authorized) return undefined
  const { subjectaltname: names, fingerprint256: fingerprint } = socket.getPeerCertificate()
  if (names === undefined) return undefined
  return { names: names.split(', '), fingerprint: fingerprint.replaceAll(':', '').toLowerCase() }
}
