/** The key and the token in the headers of a request, told apart by their form: which headers they are in does not matter. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { presentedKey } from './key/presented-key.ts'

export interface PresentedCredentials {
  readonly key: string | undefined
  /** A JWT, and whether it came with the scheme of DPoP (RFC 9449, section 7.1). */
  readonly token: PresentedToken | undefined
}

export interface PresentedToken {
  readonly text: string
  readonly scheme: 'bearer' | 'dpop'
}

/** A JWS in compact form (RFC 7515, section 7.1); whether it is a good one is another question. */
const tokenShape = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/
/** What was read of headers, as long as the same ones are left to the edge: a session may outlive its configuration. */
const known = new WeakMap<IncomingHttpHeaders, { readonly ignored: readonly string[]; readonly found: PresentedCredentials }>()

/** Throws `auth.unknown_key` (too long to be one), `auth.missing_key` (another scheme) or `request.invalid` (two credentials of one kind). */
export function presentedCredentials(headers: IncomingHttpHeaders, snapshot: Snapshot): PresentedCredentials {
  const { ignore_credential_headers: ignored } = snapshot.settings.listen
  if (!takesTokens(snapshot)) {
    const key = hasNone(headers) ? undefined : presentedKey(headers, ignored)
    return { key, token: undefined }
  }
  const before = known.get(headers)
  if (before?.ignored === ignored) return before.found
  const found = tellApart(headers, ignored)
  known.set(headers, { ignored, found })
  return found
}

function tellApart(headers: IncomingHttpHeaders, ignored: readonly string[]): PresentedCredentials {
  const { authorization, 'x-api-key': apiKey, ...others } = headers
  const first = ignored.includes('authorization') ? undefined : tokenIn(authorization)
  const other = ignored.includes('x-api-key') || typeof apiKey !== 'string' || !tokenShape.test(apiKey) ? undefined : apiKey
  if (first !== undefined && other !== undefined && first.text !== other)
    throw new TurnwardError('request.invalid', {
      subject: 'authorization, x-api-key',
      why: 'the request carries two different tokens',
      fix: 'Send one, in `authorization`.',
    })
  const token = first ?? (other === undefined ? undefined : { text: other, scheme: 'bearer' as const })
  const rest = {
    ...others,
    ...(first === undefined && authorization !== undefined ? { authorization } : {}),
    ...(other === undefined && apiKey !== undefined ? { 'x-api-key': apiKey } : {}),
  }
  return { key: hasNone(rest) ? undefined : presentedKey(rest, ignored.filter(isCredentialHeader)), token }
}

function isCredentialHeader(name: string): name is 'authorization' | 'x-api-key' {
  return name === 'authorization' || name === 'x-api-key'
}

function tokenIn(authorization: string | undefined): PresentedToken | undefined {
  const [, scheme = '', text = ''] = /^(bearer|dpop) +(\S+) *$/i.exec(authorization ?? '') ?? []
  if (!tokenShape.test(text)) return undefined
  return { text, scheme: scheme.toLowerCase() === 'dpop' ? 'dpop' : 'bearer' }
}

function hasNone({ authorization, 'x-api-key': apiKey }: IncomingHttpHeaders): boolean {
  return (authorization === undefined || authorization === '') && (apiKey === undefined || apiKey === '')
}

/** Whether the configuration knows anybody who gives out tokens: without, what looks like one is a key like any other. */
function takesTokens({ identity }: Snapshot): boolean {
  return identity !== undefined && (Object.keys(identity.issuers).length > 0 || identity.oauth !== undefined)
}
