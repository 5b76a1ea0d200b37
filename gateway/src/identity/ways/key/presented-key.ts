/**
 * Finds the one credential in the headers of a request. Two that differ are an error, unless exactly one of them is by its
 * form a key of ours: an edge in front leaves its own in the other header.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { TurnwardError } from '../../../core/error.ts'

const longestKey = 512
const ownPrefix = 'tw_'

/** Headers that may carry a key. */
export type CredentialHeader = 'authorization' | 'x-api-key'

/**
 * The key in `authorization: Bearer …`, as the access key id of a signature of AWS, or in `x-api-key`; `ignored` are headers that belong to somebody in front of us.
 * Throws `auth.missing_key`, `auth.unknown_key` (too long to be one) or `request.invalid` (two credentials).
 */
export function presentedKey(headers: IncomingHttpHeaders, ignored: readonly CredentialHeader[] = []): string {
  const authorization = ignored.includes('authorization') ? undefined : headers.authorization
  const apiKey = ignored.includes('x-api-key') ? undefined : headers['x-api-key']
  if (Array.isArray(apiKey)) throw twoCredentials()
  const bearer = authorization === undefined || authorization === '' ? undefined : (bearerToken(authorization) ?? signingKey(authorization))
  // Another scheme, or Bearer without a token.
  const strange = authorization !== undefined && authorization !== '' && bearer === undefined
  const other = apiKey === undefined || apiKey === '' ? undefined : apiKey
  const key = other !== undefined && (strange || (bearer !== undefined && bearer !== other)) ? oursOf(bearer, other) : (bearer ?? other)
  if (key === undefined) throw new TurnwardError('auth.missing_key', strange ? strangeScheme(authorization) : {})
  if (key.length > longestKey) throw new TurnwardError('auth.unknown_key', { why: `it is longer than ${longestKey} characters` })
  return key
}

function strangeScheme(authorization: string): { readonly why: string; readonly fix?: string } {
  if (!authorization.startsWith('AWS4-HMAC-SHA256')) return { why: 'the `authorization` header is not `Bearer <key>`' }
  return {
    why: 'the request is signed with keys of AWS, which mean nothing here',
    fix: 'Give the SDK the virtual key as its bearer token (`AWS_BEARER_TOKEN_BEDROCK`), or as its access key id.',
  }
}

/** AWS Signature Version 4 in a header. */
const signature =
  /^AWS4-HMAC-SHA256 +Credential=([\w.~+-]+)\/\d{8}\/[a-z0-9-]+\/[a-z0-9-]+\/aws4_request, *SignedHeaders=[a-z0-9;-]+, *Signature=[0-9a-f]{64}$/
/** Ids that AWS gives out: whoever signs with one has forgotten to set a key of ours. */
const ofAws = /^A[KS]IA[A-Z0-9]{12,}$/

/**
 * The access key id of a signed request, which is the caller's key here. The signature proves nothing: nobody here knows what it
 * was made with, and what the request is sent on with is signed anew.
 */
function signingKey(header: string): string | undefined {
  const id = signature.exec(header)?.[1]
  return id === undefined || ofAws.test(id) ? undefined : id
}

/** The one of two different credentials that is ours. */
function oursOf(bearer: string | undefined, other: string): string {
  const isBearer = bearer?.startsWith(ownPrefix) === true
  if (isBearer === other.startsWith(ownPrefix)) throw twoCredentials()
  return isBearer && bearer !== undefined ? bearer : other
}

/** RFC 9110 section 11.4: the scheme is case-insensitive; the token follows after spaces. */
function bearerToken(header: string): string | undefined {
  if (header.slice(0, 7).toLowerCase() !== 'bearer ') return undefined
  const token = header.slice(7).trim()
  return token === '' ? undefined : token
}

function twoCredentials(): TurnwardError {
  return new TurnwardError('request.invalid', {
    subject: 'authorization, x-api-key',
    why: 'the request carries two different credentials',
    fix: 'Send the virtual key in one of the two headers, or name the other one in `listen.ignore_credential_headers`.',
  })
}
