/** HTTPS requests on one connection that stays open, and what the other end proves itself with. */
import { Agent, request } from 'node:https'
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls'
import type { Certificate } from './certificates.ts'
import type { Json } from './json.ts'

export interface SecureAnswer {
  readonly status: number
  readonly text: string
  readonly json: Json
  /** The port of this end of the connection: which connection it was. */
  readonly localPort: number | undefined
}

export interface SecureOptions {
  /** The authority that is believed, PEM text. */
  readonly ca: string
  /** What this client shows. */
  readonly own?: Certificate
  /** Address to connect from, where the machine has several. */
  readonly localAddress?: string
}

export class SecureConnection {
  readonly #url: string
  readonly #agent: Agent

  constructor(url: string, { ca, own, localAddress }: SecureOptions) {
    this.#url = url
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1, ca, ...own, ...(localAddress === undefined ? {} : { localAddress }) })
  }

  ask(
    path: string,
    { body, headers = {} }: { body?: object; headers?: Readonly<Record<string, string | string[]>> } = {},
  ): Promise<SecureAnswer> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body)
      const asked = request(
        `${this.#url}${path}`,
        {
          agent: this.#agent,
          method: body === undefined ? 'GET' : 'POST',
          headers: {
            accept: 'application/json, text/event-stream',
            ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
            ...headers,
          },
        },
        (response) => {
          const { localPort } = response.socket
          let answer = ''
          response.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk))
          response.on('error', reject)
          response.on('end', () => {
            const data = /^data: (\{.+)$/m.exec(answer)?.[1] ?? answer
            const json = data.startsWith('{') ? (JSON.parse(data) as Json) : {}
            resolve({ status: response.statusCode ?? 0, text: answer, json, localPort })
          })
        },
      )
      asked.on('error', reject)
      asked.end(text)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** A connection as far as the handshake; rejects when it fails. */
export function handshake(url: string, { ca, own }: SecureOptions, more: { maxVersion?: 'TLSv1.2' | 'TLSv1.3' } = {}): Promise<TLSSocket> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host: hostname, port: Number(port), ca, ...own, ...more }, () => resolve(socket))
    socket.once('error', reject)
  })
}

/** SHA-256 of the certificate that a new connection is met with. */
export async function shownCertificate(url: string, options: SecureOptions): Promise<string> {
  const socket = await handshake(url, options)
  const { fingerprint256 }: DetailedPeerCertificate = socket.getPeerCertificate(true)
  socket.destroy()
  return fingerprint256
}
