/**
 * The API server of Kubernetes, as much of it as starting a server in a pod needs. Knows nothing of servers. The token is read
 * for each request, because the kubelet renews it.
 */
import { readFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { WebSocket } from 'ws'

export interface KubePlace {
  readonly api: string
  readonly tokenFile: string
  readonly caFile: string
}

export interface KubeAnswer {
  readonly status: number
  /** Parsed JSON; undefined when there is none. */
  readonly body: unknown
}

/** The API server cannot be reached, or refuses. `message` is for the administrator. */
export class KubeError extends Error {
  override readonly name = 'KubeError'
}

const askMs = 30_000
const mostBytes = 16 * 1024 * 1024
const longestMessage = 300
/** Best first. Only the first can say that an input is over. */
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io']

export class KubeApi {
  readonly #place: KubePlace

  constructor(place: KubePlace) {
    this.#place = place
  }

  /** One request; a body is sent as JSON. Rejects with KubeError when there is no answer. */
  async ask(method: string, path: string, body?: object): Promise<KubeAnswer> {
    const { url, headers, ca } = await this.#request(path)
    const text = body === undefined ? undefined : JSON.stringify(body)
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const asking = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
        method,
        headers: {
          ...headers,
          accept: 'application/json',
          ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        },
        ...(ca === undefined ? {} : { ca }),
        agent: false,
        timeout: askMs,
      })
      asking.once('timeout', () => asking.destroy(new KubeError(`the API server of Kubernetes did not answer within ${askMs / 1000} s`)))
      asking.once('response', resolve)
      asking.once('error', (error) => reject(error instanceof KubeError ? error : this.#unreachable(error)))
      asking.end(text)
    })
    return { status: response.statusCode ?? 0, body: await this.#read(response) }
  }

  /** Likewise; anything but success is a KubeError with what the API server says. */
  async must(method: string, path: string, body?: object): Promise<unknown> {
    const answer = await this.ask(method, path, body)
    if (answer.status < 200 || answer.status > 299) throw refusal(answer)
    return answer.body
  }

  /** The connection to the streams of a pod (PodAttach). */
  async attach(path: string): Promise<WebSocket> {
    const ws = await import('ws')
    const { url, headers, ca } = await this.#request(path)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new ws.WebSocket(url, protocols, {
      headers,
      ...(ca === undefined ? {} : { ca }),
      followRedirects: false,
      perMessageDeflate: false,
      maxPayload: mostBytes,
      handshakeTimeout: askMs,
    })
    return new Promise((resolve, reject) => {
      // Heard as long as it lives: an error that nobody hears ends the process.
      socket.on('error', (error) => reject(this.#unreachable(error)))
      socket.once('unexpected-response', (_request, response) => {
        this.#read(response).then((body) => reject(refusal({ status: response.statusCode ?? 0, body })), reject)
        socket.terminate()
      })
      socket.once('open', () => {
        // What comes before somebody listens would be lost.
        socket.pause()
        resolve(socket)
      })
    })
  }

  async #request(path: string): Promise<{ readonly url: URL; readonly headers: Record<string, string>; readonly ca: string | undefined }> {
    const { api, tokenFile, caFile } = this.#place
    const url = new URL(`${api.replace(/\/$/, '')}${path}`)
    const token = (await readOf(tokenFile, 'token')).trim()
    if (!/^[\x21-\x7e]+$/.test(token)) throw new KubeError(`${tokenFile} holds no token`)
    return {
      url,
      headers: { authorization: `Bearer ${token}` },
      ca: url.protocol === 'https:' ? await readOf(caFile, 'certificate authority') : undefined,
    }
  }

  async #read(response: IncomingMessage): Promise<unknown> {
    const chunks: Buffer[] = []
    let size = 0
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length
        if (size > mostBytes) throw new KubeError('the API server of Kubernetes sent a longer answer than any that is expected')
        chunks.push(chunk)
      }
    } catch (error) {
      throw error instanceof KubeError ? error : this.#unreachable(error)
    }
    try {
      return JSON.parse(Buffer.concat(chunks).toString('utf8'))
    } catch {
      return undefined
    }
  }

  #unreachable(error: unknown): KubeError {
    const code = error instanceof Error && 'code' in error ? String(error.code) : error instanceof Error ? error.message : 'no answer'
    return new KubeError(`the API server of Kubernetes cannot be reached at ${this.#place.api} (${code.slice(0, 100)})`, { cause: error })
  }
}

/** What the API server says is wrong (`Status`), on one line. */
function refusal({ status, body }: KubeAnswer): KubeError {
  const message = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : 'no reason given'
  return new KubeError(`the API server of Kubernetes answered ${status}: ${message.replace(/\s+/g, ' ').slice(0, longestMessage)}`)
}

/** A file that the kubelet gives to pods. Rejects with KubeError. */
export async function readOf(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw new KubeError(`the ${what} of the account cannot be read from ${path} (${code})`, { cause: error })
  }
}
