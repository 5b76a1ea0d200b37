/** Refuses requests that reached us under a foreign name: DNS rebinding (streamable-http, "Security & Endpoint"). */
import type { IncomingHttpHeaders } from 'node:http'
import type { Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'

const loopback = ['localhost', '127.0.0.1', '[::1]']
const anyAddress = new Set(['0.0.0.0', '::', '[::]'])

type Listen = Snapshot['settings']['listen']

interface Names {
  readonly allowed: ReadonlySet<string>
  /** The Host header that was accepted last: nearly every request brings the same. */
  lastHost: string | undefined
}

const namesOf = new WeakMap<Listen, Names>()

/** Throws `request.host` when Host, or Origin if there is one, is not a name of this gateway. Ports are not compared. */
export function guardHost(headers: IncomingHttpHeaders, listen: Listen): void {
  const { allowed } = guardHostName(headers, listen)
  if (headers.origin === undefined) return
  const origin = originName(headers.origin)
  if (origin === undefined || !allowed.has(origin))
    throw new TurnwardError('request.host', { why: 'the Origin header is not a name of this gateway' })
}

/** Throws `request.host` when Host is not a name of this gateway: the one rule of both floors. */
export function guardHostName(headers: IncomingHttpHeaders, listen: Listen): Pick<Names, 'allowed'> {
  const names = allowedOf(listen)
  const { allowed } = names
  if (headers.host === undefined || headers.host !== names.lastHost) {
    const host = headers.host === undefined ? undefined : hostName(headers.host)
    if (host === undefined || !allowed.has(host))
      throw new TurnwardError('request.host', { why: 'the Host header is not a name of this gateway' })
    names.lastHost = headers.host
  }
  return names
}

/** The gateway whose endpoint a URL is, when its host is a name of this one. Ports are not compared. */
export function gatewayAt(url: string, listen: Listen): string | undefined {
  const parsed = URL.parse(url)
  const [, name] = (parsed === null ? null : /^\/mcp\/([A-Za-z0-9][A-Za-z0-9_.-]{0,62})\/?$/.exec(parsed.pathname)) ?? []
  if (parsed === null || name === undefined || !['http:', 'https:'].includes(parsed.protocol)) return undefined
  return allowedOf(listen).allowed.has(parsed.hostname.toLowerCase()) ? name : undefined
}

function allowedOf(listen: Listen): Names {
  let names = namesOf.get(listen)
  if (names === undefined) namesOf.set(listen, (names = { allowed: allowedNames(listen), lastHost: undefined }))
  return names
}

function allowedNames(listen: Listen): ReadonlySet<string> {
  const allowed = new Set(loopback)
  if (!anyAddress.has(listen.host)) allowed.add(hostName(listen.host) ?? listen.host.toLowerCase())
  const own = listen.public_url === undefined ? undefined : nameOf(listen.public_url)
  if (own !== undefined) allowed.add(own)
  for (const host of listen.hosts) allowed.add(hostName(host) ?? host.toLowerCase())
  return allowed
}

/** The name in `name`, `name:port`, `[address]:port` or a bare IPv6 address, lower case. */
function hostName(host: string): string | undefined {
  if (host.includes('@') || host.includes('/')) return undefined
  const bare = host.split(':').length > 2 && !host.startsWith('[') ? `[${host}]` : host
  return nameOf(`http://${bare}`)
}

function originName(origin: string): string | undefined {
  return /^https?:\/\/[^/@?#\\]+$/i.test(origin) ? nameOf(origin) : undefined
}

function nameOf(url: string): string | undefined {
  return URL.parse(url)?.hostname.toLowerCase()
}
