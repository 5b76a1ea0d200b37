/** An upstream that answers with the bytes a test gives it, and what a test hears of an exchange with it. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createSecureServer, type TlsOptions } from 'node:tls'
import type { IncomingHttpHeaders } from 'node:http'
import type { AnswerHandler, Exchange, OutgoingRequest } from './exchange.ts'
import { HttpPool, type PoolOptions } from './pool.ts'

export interface ReceivedRequest {
  readonly socket: Socket
  /** Of the connection, from 0. */
  readonly connection: number
  readonly head: string
  readonly path: string
  readonly body: Buffer
}

export type Answering = (request: ReceivedRequest) => void

const running: { close(): unknown }[] = []

/** For `afterEach`: closes pools and servers, the last first. */
export async function closeAll(): Promise<void> {
  for (const one of running.splice(0).reverse()) await one.close()
}

export interface RawServer {
  readonly origin: string
  /** In the order they came. */
  readonly sockets: readonly Socket[]
  /** Resolves when the connection with this number is closed. */
  closed(connection: number): Promise<void>
}

interface RawServerOptions {
  readonly host?: string
  readonly tls?: TlsOptions
}

/** Reads requests with a length, and gives each to `answer` when it is complete. */
export function rawServer(answer: Answering, options?: RawServerOptions): Promise<RawServer> {
  return rawConnections((socket, connection) => readRequests(socket, (request) => answer({ ...request, socket, connection })), options)
}

/** Reads nothing by itself. */
export async function rawConnections(
  accept: (socket: Socket, connection: number) => void,
  { host = '127.0.0.1', tls }: RawServerOptions = {},
): Promise<RawServer> {
  const sockets: Socket[] = []
  const closings: PromiseWithResolvers<void>[] = []
  const closing = (connection: number): PromiseWithResolvers<void> => (closings[connection] ??= Promise.withResolvers())
  const onConnection = (socket: Socket): void => {
    const connection = sockets.push(socket) - 1
    socket.on('error', () => {})
    socket.on('close', () => closing(connection).resolve())
    accept(socket, connection)
  }
  const server: Server = tls === undefined ? createServer(onConnection) : createSecureServer(tls, onConnection)
  await listen(server, host)
  running.push({
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(resolve))
    },
  })
  const { port } = server.address() as AddressInfo
  const address = host.includes(':') ? `[${host}]` : host
  return {
    origin: `${tls === undefined ? 'http' : 'https'}://${address}:${port}`,
    sockets,
    closed: (connection) => closing(connection).promise,
  }
}

export function listen(server: Server, host = '127.0.0.1'): Promise<void> {
  return new Promise((resolve, reject) => server.once('error', reject).listen(0, host, resolve))
}

function readRequests(socket: Socket, onRequest: (request: Pick<ReceivedRequest, 'head' | 'path' | 'body'>) => void): void {
  let pending = Buffer.alloc(0)
  socket.on('data', (bytes) => {
    pending = Buffer.concat([pending, bytes])
    for (;;) {
      const end = pending.indexOf('\r\n\r\n')
      if (end === -1) return
      const head = pending.toString('latin1', 0, end)
      const next = end + 4 + Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0)
      if (pending.length < next) return
      const body = pending.subarray(end + 4, next)
      pending = pending.subarray(next)
      onRequest({ head, path: head.split(' ')[1] ?? '', body })
    }
  })
}

export function poolOf(origin: string, options: Partial<PoolOptions> = {}): HttpPool {
  const pool = new HttpPool(origin, { connections: 10, connectTimeoutMs: 20_000, bodyTimeoutMs: 0, ...options })
  running.push(pool)
  return pool
}

/** A complete answer with a length. */
export function answerOf(body: string, ...fields: readonly string[]): string {
  return `${['HTTP/1.1 200 OK', `content-length: ${Buffer.byteLength(body)}`, ...fields].join('\r\n')}\r\n\r\n${body}`
}

/** A pattern that shows where bytes are missing or out of order. */
export function patternOf(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(at, at)
  return bytes
}

/** What a handler heard, in order. */
export class Hearing implements AnswerHandler {
  readonly calls: string[] = []
  status = 0
  headers: IncomingHttpHeaders = {}
  error: (Error & { readonly code?: string }) | undefined
  readonly chunks: Buffer[] = []
  readonly #headed = Promise.withResolvers<void>()
  readonly #received = Promise.withResolvers<void>()
  readonly #over = Promise.withResolvers<void>()

  /** The head is here. */
  readonly headed = this.#headed.promise
  /** The first bytes of the body are here. */
  readonly received = this.#received.promise
  /** It ended, well or not. */
  readonly over = this.#over.promise

  get body(): Buffer {
    return Buffer.concat(this.chunks)
  }

  /** The body, or the code of what went wrong. */
  get outcome(): string {
    return this.error === undefined ? this.body.toString() : String(this.error.code ?? this.error.message)
  }

  onHead(status: number, headers: IncomingHttpHeaders): void {
    this.calls.push('head')
    this.status = status
    this.headers = headers
    this.#headed.resolve()
  }

  onData(chunk: Buffer): void {
    if (this.calls.at(-1) !== 'data') this.calls.push('data')
    this.chunks.push(chunk)
    this.#received.resolve()
  }

  onEnd(): void {
    this.calls.push('end')
    this.#over.resolve()
  }

  onError(error: Error): void {
    this.calls.push('error')
    this.error = error
    this.#over.resolve()
  }
}

/** Sends a request; `hearing` tells what comes of it. */
export function send(
  pool: HttpPool,
  request: Partial<OutgoingRequest> = {},
  hearing = new Hearing(),
): { readonly exchange: Exchange; readonly hearing: Hearing } {
  return { exchange: pool.dispatch({ method: 'POST', path: '/', headers: [], body: '', ...request }, hearing), hearing }
}

/** Sends a request and waits for its end: the body, or the code of what went wrong. */
export async function fetchText(pool: HttpPool, path = '/', body = ''): Promise<string> {
  const { hearing } = send(pool, { path, body })
  await hearing.over
  return hearing.outcome
}
