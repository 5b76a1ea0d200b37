/**
 * Which edge a request comes from: the one whose proof the connection carries. Its certificate, or its network and its secret
 * together; what a header says of where a request came from is never looked at.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { BlockList, isIP } from 'node:net'
import type { Snapshot } from '../../../config/snapshot.ts'
import { TurnwardError } from '../../../core/error.ts'
import { compileCertificateNames, type NameMatcher } from '../certificate/certificate-names.ts'
import type { Hop, Presented } from '../way.ts'
import { edgeHeaders, type EdgeConfig, type EdgeHeaders } from './edge-headers.ts'

export interface TrustedEdge {
  readonly name: string
  readonly config: EdgeConfig
  readonly headers: EdgeHeaders
  isProven(presented: Presented): boolean
  /** Whether its certificate has names of this edge. */
  hasCertificate(hop: Hop | undefined): boolean
}

const compiled = new WeakMap<Snapshot['identity'], readonly TrustedEdge[]>()

/** Compiled once for each configuration. */
export function trustedEdges({ identity }: Pick<Snapshot, 'identity'>): readonly TrustedEdge[] {
  let edges = compiled.get(identity)
  if (edges === undefined) {
    edges = Object.entries(identity.edges).map(([name, config]) => compileEdge(name, config))
    compiled.set(identity, edges)
  }
  return edges
}

/** The edge that a request has come through. Throws `request.invalid` where it proves to be two. */
export function provenEdge(presented: Presented, snapshot: Snapshot): TrustedEdge | undefined {
  const edges = trustedEdges(snapshot)
  if (edges.length === 0) return undefined
  const [edge, other] = edges.filter((one) => one.isProven(presented))
  if (edge !== undefined && other !== undefined)
    throw new TurnwardError('request.invalid', { subject: `${edge.name}, ${other.name}`, why: 'the request proves to come from two edges' })
  return edge
}

function compileEdge(name: string, config: EdgeConfig): TrustedEdge {
  const { mtls, secret, from } = config
  const isNamed: NameMatcher = mtls === undefined ? () => [] : compileCertificateNames(mtls.san)
  const contains = networks(from)
  const digest = secret && sha256(secret.value)
  const hasSecret = (headers: IncomingHttpHeaders): boolean => {
    const shown = secret && headers[secret.header]
    return digest !== undefined && typeof shown === 'string' && timingSafeEqual(sha256(shown), digest)
  }
  const hasCertificate = (hop: Hop | undefined): boolean => hop?.certificate !== undefined && isNamed(hop.certificate.names).length > 0
  return {
    name,
    config,
    headers: edgeHeaders(config),
    hasCertificate,
    isProven({ headers, hop }) {
      if (hop === undefined) return false
      if (mtls !== undefined && !hasCertificate(hop)) return false
      if (secret !== undefined && !hasSecret(headers)) return false
      return from.length === 0 || contains(hop.address)
    },
  }
}

function networks(from: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const network of from) {
    const [address = '', bits] = network.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family)
  }
  return (address) => {
    const plain = plainAddress(address)
    const version = isIP(plain)
    return version !== 0 && list.check(plain, version === 6 ? 'ipv6' : 'ipv4')
  }
}

/** A socket that takes both families has IPv4 peers as `::ffff:10.0.0.1`; link-local ones have their interface behind a `%`. */
function plainAddress(address: string): string {
  const [plain = ''] = address.split('%')
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)
  return mapped?.[1] ?? plain
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'latin1').digest()
}
