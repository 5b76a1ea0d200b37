/**
 * One request at a token endpoint, whatever it asks with: what was issued, or why nothing was. What a token endpoint writes may
 * quote what it was sent, so of an error only its code gets any further, and the number Entra gives its own.
 */
import * as oauth from 'oauth4webapi'
import { requestOptions, type TokenEndpoint } from './token-endpoint.ts'

/** A token as it was issued. Times are Unix milliseconds. */
export interface IssuedToken {
  readonly token: string
  /** When it expires; undefined where nothing was said. */
  readonly expires: number | undefined
  /** As the answer names it (RFC 8693, section 2.2.1); undefined where it says nothing. */
  readonly issuedType: string | undefined
  /** Whether whoever holds it may use it, as `Authorization: Bearer`. */
  readonly isBearer: boolean
  readonly refresh?: string | undefined
  readonly idToken?: string | undefined
  /** The scopes it was given; undefined where the answer names none: those that were asked for (RFC 6749, section 5.1). */
  readonly scope: string | undefined
}

/** Why a token endpoint gave no token. */
export class TokenRefused extends Error {
  /** `invalid_grant` and the like; `unreachable` where no answer came that could be read. */
  readonly reason: string
  /** Entra's own number (`AADSTS65001`), or its sub-error. */
  readonly detail: string | undefined
  /** The claims that a person must come back with (Entra, conditional access); never shown to anybody but as being there. */
  readonly hasClaims: boolean

  constructor(
    reason: string,
    { detail, hasClaims = false, cause }: { detail?: string | undefined; hasClaims?: boolean; cause?: unknown } = {},
  ) {
    super(detail === undefined ? reason : `${reason} (${detail})`, cause === undefined ? undefined : { cause })
    this.name = 'TokenRefused'
    this.reason = reason
    this.detail = detail
    this.hasClaims = hasClaims
  }
}

/** What may stand in an error code (RFC 6749, section 5.2), kept short. */
const errorCode = /^[a-z0-9_.-]{1,64}$/i
const entraNumber = /\bAADSTS\d{4,8}\b/

/** An answer longer than this is not one. */
const longestToken = 64 * 1024

/** Tokens that are shown to nobody as bearer tokens say so (RFC 8693, section 2.2.1). */
const anyType: oauth.RecognizedTokenTypes = { n_a: () => {} }

/** Asks for a token. Rejects with a `TokenRefused`, or with what `signal` was aborted for. `now`: Unix milliseconds. */
export async function requestToken(
  endpoint: TokenEndpoint,
  grant: string,
  parameters: URLSearchParams,
  { now, signal }: { readonly now: number; readonly signal: AbortSignal },
): Promise<IssuedToken> {
  const { server, client, authentication } = endpoint
  try {
    const response = await oauth.genericTokenEndpointRequest(
      server,
      client,
      authentication,
      grant,
      parameters,
      requestOptions(endpoint, signal),
    )
    const answer = await oauth.processGenericTokenEndpointResponse(server, client, response, { recognizedTokenTypes: anyType })
    if (answer.access_token.length > longestToken) throw new TokenRefused('unreadable', { detail: 'the token is too long' })
    const issued = answer['issued_token_type']
    return {
      token: answer.access_token,
      expires: answer.expires_in === undefined ? undefined : now + answer.expires_in * 1000,
      isBearer: answer.token_type === 'bearer',
      issuedType: typeof issued === 'string' ? issued : undefined,
      scope: answer.scope,
      refresh: answer.refresh_token,
      idToken: answer.id_token,
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw refusalOf(error)
  }
}

function refusalOf(error: unknown): TokenRefused {
  if (error instanceof TokenRefused) return error
  if (error instanceof oauth.ResponseBodyError) {
    const reason = errorCode.test(error.error) ? error.error : 'unreadable'
    const { suberror, claims } = error.cause
    const number = entraNumber.exec(error.error_description ?? '')?.[0]
    const detail = number ?? (typeof suberror === 'string' && errorCode.test(suberror) ? suberror : undefined)
    return new TokenRefused(reason, { detail, hasClaims: typeof claims === 'string' })
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError) return new TokenRefused('invalid_client')
  const isAnswered = error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError
  return new TokenRefused(isAnswered ? 'unreadable' : 'unreachable')
}
