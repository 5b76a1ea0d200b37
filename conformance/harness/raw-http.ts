/** Requests without a client library between the test and the wire: exact bytes out, exact bytes in. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly text: string
  /** False when the connection broke inside the body. */
  readonly complete: boolean
}

export interface RawOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: Buffer | string
}

/** One request on a connection of its own. */
export function send(url: string, options: RawOptions = {}): Promise<RawAnswer> {
  const { method = options.body === undefined ? 'GET' : 'POST', headers = {}, body } = options
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      { method, agent: false, headers: { ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }), ...headers } },
      (response) => {
        const chunks: Buffer[] = []
        const finish = (complete: boolean): void => {
          const bytes = Buffer.concat(chunks)
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, text: bytes.toString('utf8'), complete })
        }
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => finish(response.complete))
        response.on('error', () => finish(false))
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

/** `send` with a JSON body and a bearer key. */
export function post(
  url: string,
  key: string,
  body: object | Buffer | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  const bytes = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  return send(url, { headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers }, body: bytes })
}

/** Writes bytes to a fresh connection and collects what comes back until the other side closes it. */
export function exchange(url: string, bytes: Buffer | string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
  })
}
