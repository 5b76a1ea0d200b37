/**
 * A model vendor on a real socket: answers OpenAI and Anthropic paths with bytes a test chose, keeps every request as it
 * came, and knows when its client left. Holds no opinion on what is right; the tests do.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Json } from './json.ts'
import { until } from './until.ts'

export type VendorDialect = 'openai' | 'anthropic'

export interface VendorRequest {
  /** 0 for the first request of this vendor. */
  readonly index: number
  readonly method: string
  readonly path: string
  readonly dialect: VendorDialect
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly bytes: Buffer
  /** The parsed body; `{}` when it is not JSON. */
  readonly body: Json
  /** `finished`: the answer went out whole; `left`: the client closed the connection before that. */
  readonly ended: Promise<'finished' | 'left'>
}

/** Bytes to write, or a promise to wait for before the next ones: so a test decides when a stream goes on. */
export type ReplyPart = Buffer | string | Promise<unknown>

export interface VendorReply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Written one by one, each in a write of its own. */
  readonly parts: readonly ReplyPart[]
  /** How it ends: properly, by a reset connection, or not at all. */
  readonly ends?: 'properly' | 'reset' | 'never'
  /** Send no head at all; the connection stays open (`never`) or is reset. */
  readonly silent?: boolean
}

export type Responder = (request: VendorRequest) => VendorReply | Promise<VendorReply>

export interface Vendor extends AsyncDisposable {
  /** `http://127.0.0.1:port/v1`, for `base_url`. */
  readonly url: string
  readonly requests: readonly VendorRequest[]
  /** The newest request. Throws when there is none. */
  last(): VendorRequest
  /** Answers from now on. */
  respond(responder: Responder): void
  /** Waits until `count` requests have come, counted from the beginning. */
  received(count: number): Promise<void>
  close(): Promise<void>
}

/** A vendor on a free port. Without a responder every request gets a 500. */
export async function startVendor(first: Responder = () => ({ status: 500, parts: ['no answer was scripted'] })): Promise<Vendor> {
  let responder = first
  const requests: VendorRequest[] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    answer(request, response, requests, (made) => responder(made)).catch((error: unknown) => response.destroy(error as Error))
  })
  server.on('connection', (socket: Socket) => {
    socket.setNoDelay(true)
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = async (): Promise<void> => {
    if (!server.listening) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    last() {
      const request = requests.at(-1)
      if (request === undefined) throw new Error('the vendor has received nothing')
      return request
    },
    respond(next) {
      responder = next
    },
    received: async (count) => void (await until(`request ${count} at the vendor`, () => (requests.length >= count ? true : undefined))),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, requests: VendorRequest[], respond: Responder): Promise<void> {
  const ended = new Promise<'finished' | 'left'>((resolve) => {
    response.once('close', () => resolve(response.writableFinished ? 'finished' : 'left'))
  })
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer)
  } catch {
    return
  }
  const bytes = Buffer.concat(chunks)
  const path = request.url ?? '/'
  const made: VendorRequest = {
    index: requests.length,
    method: request.method ?? '',
    path,
    dialect: /\/messages|\/invoke/.test(path) ? 'anthropic' : 'openai',
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    bytes,
    body: parse(bytes),
    ended,
  }
  requests.push(made)
  await write(response, await respond(made)).catch(() => response.destroy())
}

async function write(response: ServerResponse, reply: VendorReply): Promise<void> {
  const { status = 200, headers = {}, parts, ends = 'properly', silent = false } = reply
  if (!silent) {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.flushHeaders()
    for (const part of parts) {
      if (!(typeof part === 'string' || Buffer.isBuffer(part))) await part
      else if (part.length > 0 && !response.destroyed) {
        await new Promise((resolve) => response.write(part, resolve))
        // The reader gets a chance to see these bytes alone.
        await nextTurn()
      }
    }
  }
  if (ends === 'properly') response.end()
  else if (ends === 'reset') response.socket?.resetAndDestroy()
}

function parse(bytes: Buffer): Json {
  try {
    return JSON.parse(bytes.toString('utf8')) as Json
  } catch {
    return {}
  }
}
