/** What `listen.tls` says must be usable as a whole before a listener is given it: a certificate, its own key, and authorities. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { Config } from '@turnward/contract/config'
import type { ReportAt } from './problems.ts'

type ListenTls = NonNullable<Config['listen']['tls']>

/** Reports what a listener could not be opened with, in words that quote nothing of it. */
export function checkListenerCertificate({ listen: { tls }, cluster }: Pick<Config, 'listen' | 'cluster'>, report: ReportAt): void {
  if (tls === undefined) return
  const path = ['listen', 'tls']
  const chain = certificatesIn(tls.certificate)
  const authorities = tls.client_ca === undefined ? [] : certificatesIn(tls.client_ca)
  const key = privateKeyIn(tls.key)
  if (chain === undefined) report([...path, 'certificate'], 'cannot be read as certificates')
  if (authorities === undefined) report([...path, 'client_ca'], 'cannot be read as certificates')
  if (typeof key === 'string') report([...path, 'key'], key)
  if (tls.client_certificates === 'require' && cluster?.advertise !== undefined)
    report([...path, 'client_certificates'], 'other replicas show no certificate when they ask this one: say `request`')
  const [own] = chain ?? []
  if (own === undefined || authorities === undefined || typeof key === 'string') return
  if (!own.checkPrivateKey(key)) return report([...path, 'key'], 'does not belong to the first certificate of `certificate`')
  const why = unusable(tls)
  if (why !== undefined) report(path, `cannot be used for TLS: ${why}`)
}

/** When the certificate of a listener that was checked expires: the first of its chain to do so (Unix milliseconds). */
export function expiryOfCertificate(certificate: string): number {
  return Math.min(...(certificatesIn(certificate) ?? []).map(({ validTo }) => Date.parse(validTo)))
}

/** All that a PEM text holds; undefined when one of them cannot be read, or there is none. */
export function certificatesIn(text: string): readonly X509Certificate[] | undefined {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0 || blocks.length !== text.split('-----BEGIN CERTIFICATE-----').length - 1) return undefined
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch {
    return undefined
  }
}

/** Or why there is none. */
function privateKeyIn(text: string): KeyObject | string {
  try {
    return createPrivateKey(text)
  } catch (error) {
    const isLocked = (error as NodeJS.ErrnoException).code === 'ERR_MISSING_PASSPHRASE' || /ENCRYPTED/.test(text)
    return isLocked ? 'has a passphrase, which nobody would be here to enter' : 'cannot be read as a private key'
  }
}

function unusable({ certificate, key, client_ca: authority }: ListenTls): string | undefined {
  try {
    createSecureContext({ cert: certificate, key, ...(authority === undefined ? {} : { ca: authority }) })
    return undefined
  } catch (error) {
    const { code = 'OpenSSL does not take it' } = error as NodeJS.ErrnoException
    return code
  }
}
