/**
 * What `servers.*.network` means: which hosts a server may ask the proxy for, which TCP services it gets, and to which
 * addresses a name may lead. Pure: names and addresses in, a verdict out.
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { ServerConfig } from '@turnward/contract/config'
import { addressKind } from '../core/address-kinds.ts'
import { TurnwardError } from '../core/error.ts'

export type NetworkList = Extract<ServerConfig, { transport: 'stdio' }>['network']
type NetworkEntry = NetworkList[number]

/** A listed destination, and whether its name may lead to private addresses. */
export interface Destination {
  readonly host: string
  readonly port: number
  readonly private: boolean
}

/** A TCP service, and where a server finds it. */
export interface TcpForward extends Destination {
  /** The name inside; an address where `tcp` is one of the loopback and nothing else was asked for. */
  readonly name: string
  readonly namedPort: number
}

/** Why something is not reached, and the line of `network` that would change it, where one could. */
export interface EgressRefusal {
  readonly why: string
  readonly add?: string | undefined
}

export interface EgressRules {
  /** Whether the proxy may be asked for this host and port. */
  judge(host: string, port: number): Destination | EgressRefusal
  readonly forwards: readonly TcpForward[]
}

interface HostEntry {
  /** Lower case, without a trailing dot; an address in its normal form. */
  readonly host: string
  /** `*.host`: any name below it, not the name itself. */
  readonly below: boolean
  readonly ports: readonly number[]
  readonly private: boolean
}

const defaultPorts = [80, 443]
/** Each has a listener in the sandbox and a socket outside. */
const maxForwards = 32

/** Compiles `servers.*.network`. Errors: `config.invalid`. */
export function compileEgressRules(server: string, network: NetworkList): EgressRules {
  const [problem] = egressProblems(network)
  if (problem !== undefined) throw new TurnwardError('config.invalid', { subject: `servers.${server}.network`, why: problem.why })
  const read = network.map(readEntry)
  const entries = read.flatMap((entry) => ('below' in entry ? [entry] : []))
  return {
    forwards: read.flatMap((entry) => ('namedPort' in entry ? [entry] : [])),
    judge: (text, port) => {
      const host = normalHost(text)
      if (host === undefined) return { why: 'not a valid host name' }
      const matching = entries.filter((entry) => (entry.below ? isIP(host) === 0 && host.endsWith(`.${entry.host}`) : host === entry.host))
      const listed = matching.filter((entry) => entry.ports.includes(port))
      if (listed.length > 0) return { host, port, private: listed.some((entry) => entry.private) }
      const what = matching.length === 0 ? 'the host is not listed in `network`' : 'the port is not listed in `network`'
      return { why: what, add: addressProblem(host) === undefined ? entryText(host, port) : undefined }
    },
  }
}

/** Everything that is wrong with a list, with the index of its entry. */
export function egressProblems(network: NetworkList): readonly { readonly index: number; readonly why: string }[] {
  const names = new Set<string>()
  let forwards = 0
  return network.flatMap((entry, index) => {
    const read = readEntry(entry)
    if ('why' in read) return [{ index, why: read.why }]
    if ('below' in read) return []
    forwards += 1
    if (forwards > maxForwards) return [{ index, why: `more than ${maxForwards} \`tcp\` entries` }]
    const place = `${read.name}:${read.namedPort}`
    if (names.has(place)) return [{ index, why: `\`${place}\` is given to two \`tcp\` entries` }]
    names.add(place)
    return []
  })
}

/**
 * Why a name of this destination must not be dialled at this address, which it resolved to. An address that was written
 * down itself was judged when the configuration was read.
 */
export function addressRefusal(destination: Destination | TcpForward, address: string): EgressRefusal | undefined {
  const kind = addressKind(address)
  if (kind === 'public' || (kind === 'private' && destination.private)) return undefined
  if (kind === 'private') return { why: 'the host name leads to an address that is not public', add: privateEntry(destination) }
  return { why: 'the host name leads to an address that is not public, and not of a private network' }
}

/**
 * Splits `host:port` of a CONNECT target or `Host` (RFC 9112 section 3.2.3). `undefined` when it is anything else,
 * such as a URL, user information, or a port out of range.
 */
export function parseAuthority(text: string, defaultPort?: number): { readonly host: string; readonly port: number } | undefined {
  const found = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([^\s:/@[\]?#\\]{1,253}))(?::(\d{1,5}))?$/.exec(text)
  const host = normalHost(found?.[1] ?? found?.[2] ?? '')
  const port = found?.[3] === undefined ? defaultPort : Number(found[3])
  if (host === undefined || port === undefined || port < 1 || port > 65_535) return undefined
  if (found?.[1] !== undefined && isIP(host) !== 6) return undefined
  return { host, port }
}

function readEntry(entry: NetworkEntry): HostEntry | TcpForward | EgressRefusal {
  if (typeof entry === 'string') return readHost(entry, false)
  return entry.tcp === undefined ? readHost(entry.host ?? '', entry.private) : readForward(entry.tcp, entry.as, entry.private)
}

function readHost(text: string, mayBePrivate: boolean): HostEntry | EgressRefusal {
  const malformed = { why: `\`${text}\` is not a host, \`host:port\`, \`*.domain\` or address` }
  // An IPv6 address without brackets has no port.
  if (isIP(text) === 6) return withAddress({ host: normalHost(text) ?? '', below: false, ports: defaultPorts, private: mayBePrivate }, text)
  const below = text.startsWith('*.')
  const parsed = parseAuthority(below ? text.slice(2) : text, 443)
  if (parsed === undefined || parsed.host.includes('*') || (below && (isIP(parsed.host) !== 0 || !parsed.host.includes('.'))))
    return malformed
  const hasPort = /[^:]:\d+$/.test(text.replace(/^\[.*\]/, 'v6'))
  return withAddress({ host: parsed.host, below, ports: hasPort ? [parsed.port] : defaultPorts, private: mayBePrivate }, text)
}

function readForward(text: string, as: string | undefined, mayBePrivate: boolean): TcpForward | EgressRefusal {
  const to = parseAuthority(text)
  if (to === undefined) return { why: `\`${text}\` is not \`name:port\` or \`address:port\`` }
  const inside = as === undefined ? to : parseAuthority(as)
  if (inside === undefined) return { why: `\`as: ${as}\` is not \`name:port\`` }
  if (inside.host === 'localhost') return { why: '`localhost` is the sandbox itself; write `as: NAME:PORT` with another name' }
  if (as !== undefined && isIP(inside.host) !== 0) return { why: `\`as: ${as}\` is an address; write a name` }
  if (isIP(inside.host) === 6 || (isIP(inside.host) === 4 && addressKind(inside.host) !== 'loopback'))
    return { why: `no address of \`${text}\` exists in the sandbox; write \`as: NAME:${to.port}\` next to it` }
  // Ports below are for root, which nothing in the sandbox is.
  if (inside.port < 1024)
    return {
      why: `the server could not be given port ${inside.port}; write \`as: ${isIP(inside.host) === 0 ? inside.host : 'NAME'}:${inside.port + 10_000}\` next to it`,
    }
  return withAddress({ ...to, private: mayBePrivate, name: inside.host, namedPort: inside.port }, text)
}

function withAddress<T extends { readonly host: string }>(entry: T, text: string): T | EgressRefusal {
  const why = addressProblem(entry.host)
  return why === undefined ? entry : { why: `\`${text}\` ${why}` }
}

/** Why nobody may write down this address. A name has no problem of this kind. */
function addressProblem(host: string): string | undefined {
  if (isIP(host) === 0) return undefined
  const kind = addressKind(host)
  if (kind === 'platform' || (kind === 'embedded' && ipaddr.process(host).range() === 'linkLocal'))
    return 'is where cloud platforms hand out credentials; no server may reach it'
  if (kind === 'embedded') return 'carries an IPv4 address; write that one'
  if (kind === 'nowhere') return 'is not the address of one host'
  return undefined
}

function privateEntry(destination: Destination | TcpForward): string {
  const to = entryText(destination.host, destination.port)
  if (!('namedPort' in destination)) return `{ host: ${to}, private: true }`
  const { name, namedPort, host, port } = destination
  return `{ tcp: ${to}, ${name === host && namedPort === port ? '' : `as: ${entryText(name, namedPort)}, `}private: true }`
}

/** How a host and port are written in `network`; both have been read, so nothing in them needs quoting but the colons. */
function entryText(host: string, port: number): string {
  return `"${authorityText(host, port)}"`
}

/** `host:port`, with brackets where they are needed. */
export function authorityText(host: string, port: number): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
}

/** Lower case, no trailing dot, addresses in one form; `undefined` for what is not a name or address. */
function normalHost(host: string): string | undefined {
  if (isIP(host) !== 0) return ipaddr.parse(host).toString()
  const name = host.toLowerCase().replace(/\.$/, '')
  if (!/^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/.test(name)) return undefined
  // `127.1`, `0x7f.1`, `2130706433`: resolvers read them as addresses. A last label of digits is never a name (WHATWG URL, host parsing).
  return /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(name) ? undefined : name
}
