/**
 * The only way out of a sandbox: an HTTP proxy on a unix socket that reaches listed hosts and nothing else. It
 * resolves names itself, refuses every address that is not public, and dials exactly the address it checked.
 */
import { lookup } from 'node:dns/promises'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TurnwardError } from '../../core/error.ts'
import type { Logger } from '../../core/logger.ts'
import { compileEgressRules, isPublicAddress, parseAuthority } from './egress-rules.ts'

export interface EgressProxyOptions {
  readonly server: string
  /** `servers.*.network`. */
  readonly allow: readonly string[]
  /** Path of the unix socket to listen on; at most 107 bytes. */
  readonly socket: string
  readonly logger: Logger
  /** All addresses of a name, for tests. */
  readonly resolve?: ((host: string) => Promise<readonly string[]>) | undefined
}

export interface EgressProxy {
  /** Stops listening and cuts every connection. */
  close(): Promise<void>
}

const maxConnections = 128
const idleMs = 5 * 60_000
const dialMs = 10_000
const maxRefusalsLogged = 100
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

/** Starts the proxy of one server. Errors: `config.invalid` for a malformed list, `sandbox.unavailable` when it cannot listen. */
export async function startEgressProxy(options: EgressProxyOptions): Promise<EgressProxy> {
  const rules = compileEgressRules(options.server, options.allow)
  const resolve = options.resolve ?? (async (host: string) => (await lookup(host, { all: true })).map(({ address }) => address))
  const sockets = new Set<Duplex>()
  let refusals = 0

  /** The address to dial, or why not. */
  async function admit(host: string, port: number): Promise<{ readonly address: string } | { readonly why: string }> {
    const why = rules.refusal(host, port)
    if (why !== undefined) return { why }
    // An address is dialled only when the administrator wrote that very address.
    if (isIP(host) !== 0) return { address: host }
    let addresses: readonly string[]
    try {
      addresses = await resolve(host)
    } catch {
      return { why: 'the host name does not resolve' }
    }
    const address = addresses.find(isPublicAddress)
    return address === undefined ? { why: 'the host name leads to an address that is not public' } : { address }
  }

  function refused(host: string, port: number, why: string): void {
    refusals += 1
    if (refusals > maxRefusalsLogged) return
    options.logger.warn(
      { server: options.server, host: host.slice(0, 253), port, why, ...(refusals === maxRefusalsLogged ? { last: true } : {}) },
      'refused a connection of a sandboxed server',
    )
  }

  async function tunnel(head: Buffer, client: Duplex, target: string): Promise<void> {
    const authority = parseAuthority(target)
    const verdict = authority === undefined ? { why: 'not a host and port' } : await admit(authority.host, authority.port)
    if (authority === undefined || 'why' in verdict) {
      refused(authority?.host ?? 'invalid', authority?.port ?? 0, 'why' in verdict ? verdict.why : '')
      client.end(
        `HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\nTurnward refused this connection: ${'why' in verdict ? verdict.why : ''}.\n`,
      )
      return
    }
    if (client.destroyed) return
    const upstream = connect({ host: verdict.address, port: authority.port })
    track(upstream)
    upstream.setTimeout(dialMs, () => upstream.destroy())
    upstream.once('connect', () => {
      upstream.setTimeout(idleMs)
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      if (head.length > 0) upstream.write(head)
      upstream.pipe(client)
      client.pipe(upstream)
    })
    upstream.once('error', () => {
      if (upstream.connecting || upstream.bytesRead === 0) client.end('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\n')
      else client.destroy()
    })
    upstream.once('close', () => client.destroy())
    client.once('close', () => upstream.destroy())
  }

  async function forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = URL.parse(incoming.url ?? '')
    const authority =
      url !== null && url.protocol === 'http:' && url.username === '' && url.password === '' ? parseAuthority(url.host, 80) : undefined
    const verdict = authority === undefined ? { why: 'only absolute http URLs are proxied' } : await admit(authority.host, authority.port)
    if (url === null || authority === undefined || 'why' in verdict) {
      const why = 'why' in verdict ? verdict.why : 'not a URL'
      refused(authority?.host ?? 'invalid', authority?.port ?? 0, why)
      outgoing.writeHead(403, { 'content-type': 'text/plain', connection: 'close' }).end(`Turnward refused this request: ${why}.\n`)
      incoming.resume()
      return
    }
    const named = new Set(
      (incoming.headers.connection ?? '')
        .toLowerCase()
        .split(',')
        .map((name) => name.trim()),
    )
    const headers = Object.fromEntries(Object.entries(incoming.headers).filter(([name]) => !hopHeaders.has(name) && !named.has(name)))
    const upstream = request({
      host: verdict.address,
      port: authority.port,
      method: incoming.method,
      path: url.pathname + url.search,
      headers: { ...headers, host: url.host },
      agent: false,
      setHost: false,
      timeout: idleMs,
    })
    upstream.on('socket', track)
    upstream.on('timeout', () => upstream.destroy())
    upstream.on('response', (response) => {
      // A redirect goes back to the server as it is: following it here would skip the list.
      outgoing.writeHead(
        response.statusCode ?? 502,
        Object.fromEntries(Object.entries(response.headers).filter(([name]) => !hopHeaders.has(name))),
      )
      response.pipe(outgoing)
      response.on('error', () => outgoing.destroy())
    })
    upstream.on('upgrade', (_response, socket) => socket.destroy())
    upstream.on('error', () => {
      if (outgoing.headersSent) outgoing.destroy()
      else outgoing.writeHead(502, { connection: 'close' }).end()
    })
    outgoing.on('close', () => upstream.destroy())
    incoming.pipe(upstream)
  }

  function track(socket: Duplex): void {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => {})
  }

  const proxy = createServer({ maxHeaderSize: 32 * 1024, headersTimeout: 10_000, requestTimeout: idleMs, keepAliveTimeout: 5000 })
  proxy.maxConnections = maxConnections
  proxy.on('connection', (socket: Socket) => {
    track(socket)
    socket.setTimeout(idleMs, () => socket.destroy())
  })
  proxy.on('connect', (incoming, client, head) => {
    tunnel(head, client, incoming.url ?? '').catch(() => client.destroy())
  })
  proxy.on('request', (incoming, outgoing) => {
    forward(incoming, outgoing).catch(() => outgoing.destroy())
  })
  proxy.on('upgrade', (_incoming, socket) => socket.destroy())
  proxy.on('clientError', (_error, socket) => socket.destroy())

  await new Promise<void>((listening, failed) => {
    // Longer paths are cut by the kernel without an error (unix(7), sun_path).
    if (Buffer.byteLength(options.socket) > 107)
      failed(
        new TurnwardError('sandbox.unavailable', {
          subject: options.server,
          why: 'the path of the working folder is too long for a socket',
        }),
      )
    proxy.once('error', (error) =>
      failed(new TurnwardError('sandbox.unavailable', { subject: options.server, why: 'the egress proxy cannot listen', cause: error })),
    )
    proxy.listen(options.socket, listening)
  })
  return {
    close: () =>
      new Promise((closed) => {
        proxy.close(() => closed())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
