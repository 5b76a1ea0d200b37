/** Names of certificates as the configuration writes them: a DNS name, a URI of SPIFFE, an e-mail address, each with `*` for a part. */
import { z } from 'zod'

/**
 * A subject alternative name, or a pattern of one. `://` makes it a URI, `@` an e-mail address, anything else a DNS name. `*` stands
 * for a run of characters of one part: a label of a DNS name, a segment of a URI, what stands before the `@`.
 */
export const certificateNameSchema = z
  .string()
  .min(1)
  .max(512)
  .superRefine((text, context) => {
    const message = problemOf(text)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  })

function problemOf(text: string): string | undefined {
  if (!/^[\x21-\x7e]+$/.test(text)) return 'holds white space or a character that is not ASCII'
  if (text.includes('://')) {
    const [, authority = ''] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]+)(?:\/[^?#]*)?$/.exec(text) ?? []
    if (authority === '') return 'must be a URI such as `spiffe://acme/ns/*/sa/*`'
    return authority.includes('*') ? 'needs its authority in full: `*` there would let anybody name themselves' : undefined
  }
  if (text.includes('@')) {
    const [name = '', host = '', ...more] = text.split('@')
    return name === '' || host === '' || more.length > 0 || host.includes('*') ? 'must be an address such as `*@acme.example`' : undefined
  }
  if (!/^[A-Za-z0-9*]([A-Za-z0-9.*-]*[A-Za-z0-9*])?$/.test(text) || text.includes('..'))
    return 'must be a host name such as `edge.acme.example`'
  return /^[*.]+$/.test(text) ? 'would be every name' : undefined
}
