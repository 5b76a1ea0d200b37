/** TLS of the listener: what it proves itself with, and whether clients are to prove themselves with certificates. */
import { z } from 'zod'

const certificates = z.string().includes('-----BEGIN CERTIFICATE-----', { error: 'must be PEM text: `${file:listener.pem}`' })

export const listenTlsSchema = z
  .strictObject({
    /** The certificate of the listener and those between it and a known authority, as PEM text; mostly `${file:…}`, which is read again when it changes. */
    certificate: certificates,
    /** Its private key without a passphrase, as PEM text. */
    key: z.string().regex(/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/, 'must be the PEM text of a private key: `${file:listener.key}`'),
    /** Authorities whose certificates clients may show. */
    client_ca: certificates.optional(),
    /** `request`: a client may show one; `require`: a connection without one that `client_ca` vouches for is not made. */
    client_certificates: z.enum(['none', 'request', 'require']).default('none'),
    min_version: z.enum(['1.2', '1.3']).default('1.2'),
  })
  .superRefine(({ client_ca: authority, client_certificates: wanted }, context) => {
    if (wanted !== 'none' && authority === undefined)
      context.addIssue({
        code: 'custom',
        path: ['client_ca'],
        message: `\`client_certificates: ${wanted}\` needs the authority that they come from`,
      })
    if (wanted === 'none' && authority !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['client_ca'],
        message: 'nobody is asked for a certificate; say `client_certificates: request` or `require` as well',
      })
  })
