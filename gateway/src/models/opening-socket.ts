/** Opens a WebSocket to one upstream, placed and signed as every request there is. */
import type { RouteTarget } from '../config/snapshot.ts'
import type { Credential } from '../core/credential.ts'
import type { CancelSignal } from '../core/cancellation.ts'
import { TurnwardError } from '../core/error.ts'
import type { IncomingHttpHeaders } from 'node:http'
import type { WebSocket } from 'ws'
import { providers } from '../providers/providers.ts'
import { buildHeaders, signRequest } from './building-request.ts'

export interface SocketRequest {
  readonly target: RouteTarget
  /** Path and query below the base URL. */
  readonly path: string
  readonly credential: Credential
  readonly now: number
  readonly clientHeaders: IncomingHttpHeaders
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
  /** Longest message that is read. */
  readonly maxMessageBytes: number
  readonly signal: CancelSignal
  /** Told of each message, from the first. */
  readonly onMessage: (data: Buffer, isBinary: boolean) => void
}

/** Of an ordinary request only; a handshake has its own. */
const unwanted: ReadonlySet<string> = new Set(['content-type', 'content-length', 'accept', 'accept-encoding'])

/** Resolves once it is open. Rejects with `upstream.*` or the abort reason. */
export async function openSocket(request: SocketRequest): Promise<WebSocket> {
  const { target, path, credential, now, signal, maxMessageBytes } = request
  const { name, config } = target.upstream
  if (!('base_url' in config)) throw new TurnwardError('request.unsupported', { subject: name, why: 'the upstream has no address' })
  const provider = providers[config.kind]
  const plain = { path, headers: buildHeaders({ stream: false, ...request }, { target, provider }), body: '' }
  const { headers } = await signRequest({ method: 'GET', ...plain }, { target, provider }, credential, now)
  const ws = await import('ws')
  if (signal.aborted) throw signal.reason
  const url = new URL(config.base_url)
  const socket = new ws.WebSocket(`${url.protocol === 'https:' ? 'wss:' : 'ws:'}//${url.host}${url.pathname.replace(/\/$/, '')}${path}`, {
    headers: headersOf(headers),
    followRedirects: false,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    handshakeTimeout: config.connect_timeout_ms + config.timeout_ms,
  })
  socket.on('message', (data, isBinary) => request.onMessage(data as Buffer, isBinary))
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      signal.removeEventListener('abort', onAbort)
      reject(error)
      socket.terminate()
    }
    const onAbort = (): void => fail(signal.reason)
    signal.addEventListener('abort', onAbort)
    // Heard as long as it lives: an error that nobody hears ends the process.
    socket.on('error', (cause) => fail(failureOf(name, cause)))
    socket.once('unexpected-response', (_request, response) => {
      response.destroy()
      fail(refusalOf(name, response.statusCode ?? 0))
    })
    socket.once('open', () => {
      signal.removeEventListener('abort', onAbort)
      resolve(socket)
    })
  })
}

function headersOf(flat: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let at = 0; at < flat.length; at += 2) {
    const name = flat[at] as string
    if (!unwanted.has(name.toLowerCase())) headers[name] = flat[at + 1] as string
  }
  return headers
}

function failureOf(upstream: string, cause: Error): TurnwardError {
  const { code = '' } = cause as { readonly code?: string }
  const isLate = code.includes('TIMEDOUT') || cause.message.includes('timed out')
  const why = code === '' ? 'the connection failed' : code
  return new TurnwardError(isLate ? 'upstream.timeout' : 'upstream.failed', { subject: upstream, why, cause })
}

/** What an upstream says of a refusal may be anything; its status is enough. */
function refusalOf(upstream: string, status: number): TurnwardError {
  if (status === 401) return new TurnwardError('upstream.credential', { subject: upstream, why: 'the upstream refused it' })
  const why = `it answered ${status} instead of opening the session`
  return new TurnwardError('upstream.failed', { subject: upstream, why, status: status === 429 ? 429 : undefined })
}
