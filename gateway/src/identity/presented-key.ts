/** Finds the one credential in the headers of a request. Two that differ are an error: which one was meant is not ours to guess. */
import type { IncomingHttpHeaders } from 'node:http'
import { TurnwardError } from '../core/error.ts'

const longestKey = 512

/**
 * The key in `authorization: Bearer …` or `x-api-key`.
 * Throws `auth.missing_key`, `auth.unknown_key` (too long to be one) or `request.invalid` (two credentials).
 */
export function presentedKey(headers: IncomingHttpHeaders): string {
  const { authorization, 'x-api-key': apiKey } = headers
  if (Array.isArray(apiKey)) throw twoCredentials()
  const bearer = authorization === undefined || authorization === '' ? undefined : bearerToken(authorization)
  // Another scheme than Bearer, or Bearer without a token.
  const strange = authorization !== undefined && authorization !== '' && bearer === undefined
  const other = apiKey === undefined || apiKey === '' ? undefined : apiKey
  if (other !== undefined && (strange || (bearer !== undefined && bearer !== other))) throw twoCredentials()
  const key = bearer ?? other
  if (key === undefined)
    throw new TurnwardError('auth.missing_key', strange ? { why: 'the `authorization` header is not `Bearer <key>`' } : {})
  if (key.length > longestKey) throw new TurnwardError('auth.unknown_key', { why: `it is longer than ${longestKey} characters` })
  return key
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
    fix: 'Send the virtual key in one of the two headers.',
  })
}
