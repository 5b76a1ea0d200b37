/**
 * Which hosts a sandboxed server may reach, and which addresses nobody may be led to. Pure: names and addresses in,
 * a verdict out.
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { TurnwardError } from '../../core/error.ts'

export interface EgressRules {
  /** Why the host and port are refused, or `undefined` when they are listed. */
  refusal(host: string, port: number): string | undefined
}

interface Entry {
  /** Lower case, without a trailing dot; an address in its normal form. */
  readonly host: string
  /** `*.host`: any name below it, not the name itself. */
  readonly below: boolean
  readonly ports: readonly number[]
}

const defaultPorts = [80, 443]
// Answered by the hypervisor of Azure on every virtual machine, though the range is public.
const platformAddresses = new Set(['168.63.129.16', 'fd00:ec2::254'])

/** Compiles `servers.*.network`: `name`, `name:port`, `*.name`, an address, `[v6]:port`. Errors: `config.invalid`. */
export function compileEgressRules(server: string, allow: readonly string[]): EgressRules {
  const entries = allow.map((text) => {
    const entry = parseEntry(text)
    if (entry === undefined)
      throw new TurnwardError('config.invalid', {
        subject: `servers.${server}.network`,
        why: `\`${text}\` is not a host, \`host:port\`, \`*.domain\` or address`,
      })
    if (isMetadataAddress(entry.host))
      throw new TurnwardError('config.invalid', {
        subject: `servers.${server}.network`,
        why: `\`${text}\` is where cloud platforms hand out credentials; no server may reach it`,
      })
    return entry
  })
  return {
    refusal: (host, port) => {
      const named = normalHost(host)
      if (named === undefined) return 'not a valid host name'
      const matching = entries.filter((entry) =>
        entry.below ? isIP(named) === 0 && named.endsWith(`.${entry.host}`) : named === entry.host,
      )
      if (matching.length === 0) return 'the host is not listed in `network`'
      return matching.some((entry) => entry.ports.includes(port)) ? undefined : 'the port is not listed in `network`'
    },
  }
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

/**
 * True for an address of the public internet. Private, loopback, link-local, shared, multicast, documentation and
 * every form that carries an IPv4 address inside IPv6 (mapped, NAT64, 6to4, Teredo) are not.
 */
export function isPublicAddress(text: string): boolean {
  if (isIP(text) === 0) return false
  const address = ipaddr.parse(text)
  if (platformAddresses.has(address.toString())) return false
  if (address.range() !== 'unicast') return false
  // Only 2000::/3 has been given out (RFC 4291 section 2.4); everything else has a special meaning or none.
  return address instanceof ipaddr.IPv6 ? ((address.parts[0] ?? 0) & 0xe000) === 0x2000 : true
}

/** Link-local and platform addresses: metadata services live there, and nothing a tool server has business with. */
function isMetadataAddress(host: string): boolean {
  if (isIP(host) === 0) return false
  return platformAddresses.has(host) || ipaddr.process(host).range() === 'linkLocal'
}

function parseEntry(text: string): Entry | undefined {
  // An IPv6 address without brackets has no port.
  if (isIP(text) === 6) return { host: normalHost(text) ?? '', below: false, ports: defaultPorts }
  const below = text.startsWith('*.')
  const parsed = parseAuthority(below ? text.slice(2) : text, 443)
  if (parsed === undefined || parsed.host.includes('*') || (below && (isIP(parsed.host) !== 0 || !parsed.host.includes('.'))))
    return undefined
  const hasPort = /[^:]:\d+$/.test(text.replace(/^\[.*\]/, 'v6'))
  return { host: parsed.host, below, ports: hasPort ? [parsed.port] : defaultPorts }
}

/** Lower case, no trailing dot, addresses in one form; `undefined` for what is not a name or address. */
function normalHost(host: string): string | undefined {
  if (isIP(host) !== 0) return ipaddr.parse(host).toString()
  const name = host.toLowerCase().replace(/\.$/, '')
  if (!/^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/.test(name)) return undefined
  // `127.1`, `0x7f.1`, `2130706433`: resolvers read them as addresses. A last label of digits is never a name (WHATWG URL, host parsing).
  return /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(name) ? undefined : name
}
