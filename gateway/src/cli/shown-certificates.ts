/** Connections that came with a client certificate. When the authorities change, those that the new ones do not vouch for end. */
import { X509Certificate } from 'node:crypto'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import { certificatesIn } from '../config/listener-certificate.ts'

/** A chain is checked no further; TLS has verified it when the connection was made. */
const longestChain = 10

export class ShownCertificates {
  readonly #open = new Set<TLSSocket>()

  /** A connection was made. */
  connected(socket: TLSSocket): void {
    if (!socket.authorized) return
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
  }

  /** From now on only these are believed (PEM text). */
  believeOnly(authorities: string): void {
    const believed = certificatesIn(authorities) ?? []
    for (const socket of this.#open) if (!isVouched(socket, believed)) socket.destroy()
  }
}

function isVouched(socket: TLSSocket, believed: readonly X509Certificate[]): boolean {
  return chainOf(socket).some((certificate) =>
    believed.some(
      (one) => one.fingerprint256 === certificate.fingerprint256 || (certificate.checkIssued(one) && certificate.verify(one.publicKey)),
    ),
  )
}

function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  let one: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  while (one?.raw !== undefined && chain.length < longestChain) {
    chain.push(new X509Certificate(one.raw))
    // The last of a chain names itself.
    one = one.issuerCertificate === one ? undefined : one.issuerCertificate
  }
  return chain
}
