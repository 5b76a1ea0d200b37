/** Token exchange (RFC 8693): the person's token at our own issuer becomes one for another audience, which says who acts for whom. */
import { TokenRefused, requestToken, type IssuedToken } from './token-request.ts'
import type { TokenEndpoint } from './token-endpoint.ts'
import { tokenTypes, type Subject } from './subject.ts'

const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** What a token is wanted for. */
export interface ExchangeWish {
  readonly audience?: string | undefined
  /** Absolute URI of the server (RFC 8707). */
  readonly resource?: string | undefined
  readonly scopes: readonly string[]
  /** What is to be issued. */
  readonly requested: 'access_token' | 'jwt' | 'id_token' | 'id_jag'
}

/** How long an answer may be waited for, and what time it is. */
export interface Asking {
  /** Unix milliseconds. */
  readonly now: number
  readonly signal: AbortSignal
}

/** The parameters beside `grant_type`. `actor`: an access token of ours; the server adds it before the actors that the subject names already. */
export function exchangeParameters(wish: ExchangeWish, subject: Subject, actor?: string): URLSearchParams {
  const parameters = new URLSearchParams({
    subject_token: subject.token,
    subject_token_type: tokenTypes[subject.type],
    requested_token_type: tokenTypes[wish.requested],
  })
  if (actor !== undefined) {
    parameters.set('actor_token', actor)
    parameters.set('actor_token_type', tokenTypes.access_token)
  }
  if (wish.audience !== undefined) parameters.set('audience', wish.audience)
  if (wish.resource !== undefined) parameters.set('resource', wish.resource)
  if (wish.scopes.length > 0) parameters.set('scope', wish.scopes.join(' '))
  return parameters
}

/** Types of tokens that an exchange for an access token may answer with. */
const accessTypes: ReadonlySet<string | undefined> = new Set([tokenTypes.access_token, tokenTypes.jwt, undefined])

/** A token for the audience. Rejects with a `TokenRefused`. */
export async function exchangeToken(
  at: TokenEndpoint,
  wish: ExchangeWish,
  subject: Subject,
  asking: Asking,
  actor?: string,
): Promise<IssuedToken> {
  const issued = await requestToken(at, exchangeGrant, exchangeParameters(wish, subject, actor), asking)
  // What comes back unchanged would be the caller's own token, passed through.
  if (issued.token === subject.token) throw new TokenRefused('unreadable', { detail: 'the token that was shown came back' })
  if (wish.requested === 'id_jag') {
    if (issued.issuedType !== tokenTypes.id_jag) throw new TokenRefused('unreadable', { detail: 'it issued something else than an ID-JAG' })
    return issued
  }
  // An ID token is nobody's to use, unless exactly that was asked for: some APIs take no other.
  if (wish.requested === 'id_token' && issued.issuedType === tokenTypes.id_token) return issued
  if (!issued.isBearer || !accessTypes.has(issued.issuedType))
    throw new TokenRefused('unreadable', { detail: 'it issued something else than an access token' })
  return issued
}
