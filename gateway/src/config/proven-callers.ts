/** Edges and client certificates: what they name must be declared, and what proves them must be asked for at the listener. */
import type { Config } from '@turnward/contract/config'
import { closest } from '../core/closest-name.ts'
import type { ConfigPath } from './locate.ts'
import type { ReportAt } from './problems.ts'

type Part = Pick<Config, 'identity' | 'principals' | 'listen'>

/** Headers that mean something of their own. */
const taken = new Set(['authorization', 'x-api-key', 'host', 'cookie', 'content-type', 'content-length', 'connection', 'transfer-encoding'])

/** Reports every edge and certificate that could not be believed as written. */
export function checkProvenCallers(config: Part, report: ReportAt): void {
  const { edges, certificates } = config.identity
  for (const [name, edge] of Object.entries(edges)) {
    const path = ['identity', 'edges', name]
    expectIssuer(config, edge.issuer, [...path, 'issuer'], report)
    if (edge.anonymous !== 'refuse') expectPrincipal(config, edge.anonymous.models, [...path, 'anonymous', 'models'], report)
    if (edge.mtls !== undefined) expectCertificates(config, [...path, 'mtls'], report)
    if (edge.secret !== undefined) checkSecret(edge.secret, [...path, 'secret'], report)
  }
  for (const { one, other } of alike(edges))
    report(['identity', 'edges', other, 'secret'], `\`${one}\` has the same header and value: nobody could tell the two apart`)
  for (const [name, certificate] of Object.entries(certificates)) {
    const path = ['identity', 'certificates', name]
    expectPrincipal(config, certificate.principal, [...path, 'principal'], report)
    expectIssuer(config, certificate.issuer, [...path, 'issuer'], report)
    expectCertificates(config, path, report)
  }
}

function checkSecret({ header, value }: { readonly header: string; readonly value: string }, path: ConfigPath, report: ReportAt): void {
  if (taken.has(header)) report([...path, 'header'], `\`${header}\` means something else; give the edge a header of its own`)
  if (!/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value))
    report([...path, 'value'], 'begins or ends with a blank, or holds a character that cannot be sent in a header')
}

function* alike(edges: Part['identity']['edges']): Generator<{ one: string; other: string }> {
  const seen = new Map<string, string>()
  for (const [name, { secret, mtls }] of Object.entries(edges)) {
    if (secret === undefined || mtls !== undefined) continue
    const proof = `${secret.header} ${secret.value}`
    const one = seen.get(proof)
    if (one === undefined) seen.set(proof, name)
    else yield { one, other: name }
  }
}

function expectIssuer({ identity: { issuers } }: Part, name: string | undefined, path: ConfigPath, report: ReportAt): void {
  if (name === undefined || Object.hasOwn(issuers, name)) return
  report(path, `there is no issuer \`${name}\` under \`identity.issuers\``, { suggestion: closest(name, Object.keys(issuers)) })
}

function expectPrincipal({ principals }: Part, name: string | undefined, path: ConfigPath, report: ReportAt): void {
  if (name === undefined || Object.hasOwn(principals, name)) return
  report(path, `there is no principal \`${name}\` under \`principals\``, { suggestion: closest(name, Object.keys(principals)) })
}

function expectCertificates({ listen: { tls } }: Part, path: ConfigPath, report: ReportAt): void {
  if (tls !== undefined && tls.client_certificates !== 'none') return
  report(path, 'nobody is asked for a certificate: it needs `listen.tls` with `client_ca` and `client_certificates`', { where: 'key' })
}
