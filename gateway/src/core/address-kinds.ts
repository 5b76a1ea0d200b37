/**
 * What an IP address is, for whoever decides what may be dialled. Pure. An address that is nothing known is `reserved`,
 * never `public`.
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * - `public`: the internet.
 * - `private`: networks of one's own (RFC 1918, RFC 4193) and shared address space (RFC 6598).
 * - `loopback`: the machine itself.
 * - `platform`: link-local, and where cloud platforms hand out credentials.
 * - `embedded`: an IPv6 address that carries an IPv4 address (mapped, NAT64, 6to4, Teredo, ISATAP): it leads wherever that one does.
 * - `nowhere`: unspecified, multicast, broadcast; no one host.
 * - `reserved`: everything else, such as addresses for documentation.
 */
export type AddressKind = 'public' | 'private' | 'loopback' | 'platform' | 'embedded' | 'nowhere' | 'reserved'

/**
 * Answered by the hypervisor or the metadata service although their range is public, shared or private: Azure, Alibaba,
 * Oracle (two), Google, Scaleway. Those of link-local ranges need no line.
 */
const platformAddresses = new Set(['168.63.129.16', '100.100.100.200', '192.0.0.192', 'fd00:c1::a9fe:a9fe', 'fd20:ce::254', 'fd00:42::42'])
/** Every service of Amazon's machines in IPv6: metadata, credentials of pods, name server, time. */
const platformNetwork = ipaddr.parseCIDR('fd00:ec2::/32')

const kinds: Readonly<Record<string, AddressKind>> = {
  private: 'private',
  carrierGradeNat: 'private',
  uniqueLocal: 'private',
  loopback: 'loopback',
  linkLocal: 'platform',
  unspecified: 'nowhere',
  multicast: 'nowhere',
  broadcast: 'nowhere',
  ipv4Mapped: 'embedded',
  rfc6145: 'embedded',
  rfc6052: 'embedded',
  '6to4': 'embedded',
  teredo: 'embedded',
}

/** The kind of an address in its full form; what is no such address, or has a zone, is `reserved`. */
export function addressKind(text: string): AddressKind {
  if (isIP(text) === 0 || (text.includes('%') && !/^fe[89ab]/i.test(text))) return 'reserved'
  const address = ipaddr.parse(text)
  if (platformAddresses.has(address.toString())) return 'platform'
  if (address instanceof ipaddr.IPv6) {
    if (address.match(platformNetwork as [ipaddr.IPv6, number])) return 'platform'
    if (carriesIPv4(address)) return 'embedded'
  }
  const range = address.range()
  const kind = kinds[range]
  if (kind !== undefined) return kind
  if (range !== 'unicast') return 'reserved'
  // Only 2000::/3 has been given out (RFC 4291 section 2.4); everything else has a special meaning or none.
  if (address instanceof ipaddr.IPv6) return ((address.parts[0] ?? 0) & 0xe000) === 0x2000 ? 'public' : 'reserved'
  return 'public'
}

/** IPv4-compatible (RFC 4291 section 2.5.5.1) and ISATAP (RFC 5214 section 6.1), which have no range of their own. */
function carriesIPv4({ parts }: ipaddr.IPv6): boolean {
  const [, , , , fifth = 0, sixth = 0, seventh = 0, last = 0] = parts
  const isCompatible = parts.slice(0, 6).every((part) => part === 0) && (seventh !== 0 || last > 1)
  return isCompatible || ((fifth === 0 || fifth === 0x200) && sixth === 0x5efe)
}
