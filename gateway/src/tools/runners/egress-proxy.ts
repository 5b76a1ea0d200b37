/**
 * The way of a sandboxed server to listed hosts: an HTTP proxy on a unix socket. It takes tunnels and absolute `http:`
 * requests; whatever could be read in two ways is refused.
 */
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { parseAuthority, type EgressRefusal, type EgressRules } from '../../config/egress-rules.ts'
import type { Dialled, EgressDialer } from './egress-dialer.ts'
import { joinSockets } from './joined-sockets.ts'
import { refusalText, type RefusedHosts } from './refused-hosts.ts'

export interface EgressProxyOptions {
  readonly server: string
  readonly rules: EgressRules
  readonly dialer: EgressDialer
  readonly refused: RefusedHosts
  /** Path of the unix socket to listen on. */
  readonly socket: string
  /** How long a client may take for the head of a request, for tests. */
  readonly headersMs?: number | undefined
}

export interface EgressProxy {
  /** Stops listening and cuts every connection of the server. */
  close(): Promise<void>
}

const maxConnections = 128
const idleMs = 5 * 60_000
/** How long a refused client may take to read why. */
const goodbyeMs = 5000
// RFC 9110 section 7.6.1, plus what is meant for this proxy only.
const hopHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Starts the proxy of one server. Rejects when it cannot listen. */
export async function startEgressProxy({
  server,
  rules,
  dialer,
  refused,
  socket: path,
  headersMs = 10_000,
}: EgressProxyOptions): Promise<EgressProxy> {
  const clients = new Set<Duplex>()

  /** A connection to the host, or why there is none. Every refusal is noted. */
  async function reach(target: { readonly host: string; readonly port: number } | undefined, client: Duplex): Promise<Dialled> {
    const verdict = target === undefined ? { why: 'not a host and port' } : rules.judge(target.host, target.port)
    const dialled: Dialled = 'why' in verdict ? { kind: 'refused', refusal: verdict } : await dialer.dial(verdict, client)
    if (dialled.kind === 'refused') refused.note(target?.host ?? 'invalid', target?.port ?? 0, dialled.refusal)
    return dialled
  }

  async function tunnel(incoming: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    // A body of a tunnel request could be meant for either side (RFC 9110 section 9.3.6).
    if (incoming.headers['content-length'] !== undefined || incoming.headers['transfer-encoding'] !== undefined)
      return sayLast(client, '400 Bad Request', 'Turnward refused this connection: a CONNECT request has no body.\n')
    const dialled = await reach(parseAuthority(incoming.url ?? ''), client)
    if (dialled.kind === 'refused') return sayLast(client, '403 Forbidden', refusalText(server, dialled.refusal))
    if (dialled.kind === 'unreachable') return sayLast(client, '502 Bad Gateway', 'The host cannot be reached.\n')
    const { socket } = dialled
    if (!(client instanceof Socket)) {
      socket.destroy()
      return
    }
    socket.setTimeout(idleMs, () => socket.destroy())
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    joinSockets(client, socket, head)
  }

  async function forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = URL.parse(incoming.url ?? '')
    const isHttp = url !== null && url.protocol === 'http:' && url.username === '' && url.password === ''
    if (!isHttp) {
      const refusal: EgressRefusal = { why: 'only absolute http URLs are proxied' }
      refused.note('invalid', 0, refusal)
      return answerLast(incoming, outgoing, 403, refusalText(server, refusal))
    }
    const target = parseAuthority(url.host, 80)
    const dialled = await reach(target, incoming.socket)
    if (dialled.kind === 'refused') return answerLast(incoming, outgoing, 403, refusalText(server, dialled.refusal))
    if (dialled.kind === 'unreachable') return answerLast(incoming, outgoing, 502, 'The host cannot be reached.\n')
    const { socket } = dialled
    socket.setTimeout(idleMs, () => socket.destroy())
    const upstream = request({
      method: incoming.method,
      // The target says the host; a `Host` that says another is not passed on (RFC 9112 section 3.2.2).
      path: url.pathname + url.search,
      headers: { ...endToEnd(incoming), host: url.host, ...framing(incoming) },
      createConnection: () => socket,
      setHost: false,
    })
    upstream.on('response', (response) => {
      // A redirect goes back to the server as it is: following it here would skip the list.
      outgoing.writeHead(response.statusCode ?? 502, endToEnd(response))
      response.pipe(outgoing)
      response.on('error', () => outgoing.destroy())
    })
    upstream.on('upgrade', (_response, upgraded) => {
      upgraded.destroy()
      answerLast(incoming, outgoing, 502, 'The host speaks something that nobody asked for.\n')
    })
    upstream.on('error', () => {
      if (outgoing.headersSent) outgoing.destroy()
      else answerLast(incoming, outgoing, 502, 'The host broke the connection off.\n')
    })
    outgoing.on('close', () => socket.destroy())
    incoming.pipe(upstream)
  }

  const proxy = createServer({
    maxHeaderSize: 32 * 1024,
    headersTimeout: headersMs,
    requestTimeout: idleMs,
    keepAliveTimeout: 5000,
    // How often slow heads are looked for; thirty seconds unless it is said.
    connectionsCheckingInterval: headersMs / 2,
  })
  proxy.maxConnections = maxConnections
  proxy.on('connection', (socket: Socket) => {
    clients.add(socket)
    socket.once('close', () => clients.delete(socket))
    socket.on('error', () => {})
    socket.setTimeout(idleMs, () => socket.destroy())
  })
  proxy.on('connect', (incoming, client, head) => {
    tunnel(incoming, client, head).catch(() => client.destroy())
  })
  proxy.on('request', (incoming, outgoing) => {
    forward(incoming, outgoing).catch(() => outgoing.destroy())
  })
  proxy.on('upgrade', (_incoming, socket) => socket.destroy())
  proxy.on('clientError', (_error, socket) => socket.destroy())

  await new Promise<void>((listening, failed) => {
    proxy.once('error', failed)
    proxy.listen(path, listening)
  })
  return {
    close: () =>
      new Promise((closed) => {
        proxy.close(() => closed())
        for (const client of clients) client.destroy()
      }),
  }
}

/** The headers that are not of this hop. */
function endToEnd({ headers }: IncomingMessage): Record<string, string | string[] | undefined> {
  const named = new Set((headers.connection ?? '').toLowerCase().split(/\s*,\s*/))
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopHeaders.has(name) && !named.has(name)))
}

/** A body came in pieces and goes out in pieces: without a length and without pieces it would be read as a second request. */
function framing({ headers }: IncomingMessage): Record<string, string> {
  return headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' }
}

function answerLast(incoming: IncomingMessage, outgoing: ServerResponse, status: number, text: string): void {
  incoming.resume()
  outgoing.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(text)
}

/** Answers a tunnel request that comes to nothing. What else the client says is not read by anybody. */
function sayLast(client: Duplex, status: string, text: string): void {
  if (client instanceof Socket) client.setTimeout(goodbyeMs)
  client
    .resume()
    .end(`HTTP/1.1 ${status}\r\ncontent-type: text/plain\r\ncontent-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`)
}
