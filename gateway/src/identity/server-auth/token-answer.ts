/** One request at a token endpoint as a client of it, and what it issued or took back. Of what it answers with an error, only the code gets any further. */
import * as oauth from 'oauth4webapi'
import { requestOptions, type TokenEndpoint } from '../on-behalf/token-endpoint.ts'
import { TokenRefused } from '../on-behalf/token-request.ts'

/** Times are Unix milliseconds. */
export interface Issued {
  readonly access: string
  readonly refresh: string | undefined
  /** Undefined where nothing was said. */
  readonly expires: number | undefined
  /** Separated by spaces; undefined where the answer names none: those that were asked for (RFC 6749, section 5.1). */
  readonly scope: string | undefined
}

const errorCode = /^[a-z0-9_.-]{1,64}$/i
/** What cannot be the value of a header is no token. */
const tokenText = /^[\x21-\x7e]{1,65536}$/

/** Asks for tokens. Rejects with a `TokenRefused`, or with what `signal` was aborted for. `now`: Unix milliseconds. */
export async function askForTokens(
  endpoint: TokenEndpoint,
  grant: string,
  parameters: URLSearchParams,
  { now, signal }: { readonly now: number; readonly signal: AbortSignal },
): Promise<Issued> {
  const { server, client, authentication } = endpoint
  try {
    const options = requestOptions(endpoint, signal)
    const response = await oauth.genericTokenEndpointRequest(server, client, authentication, grant, parameters, options)
    const answer = await oauth.processGenericTokenEndpointResponse(server, client, response)
    if (answer.token_type !== 'bearer' || !tokenText.test(answer.access_token)) throw new TokenRefused('unreadable')
    return {
      access: answer.access_token,
      refresh: answer.refresh_token,
      expires: answer.expires_in === undefined ? undefined : now + answer.expires_in * 1000,
      scope: answer.scope,
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw refusalOf(error)
  }
}

/** Takes one token back. What the authorization server does not know any more, or takes back only with another, is as good as taken back. Rejects as `askForTokens` does. */
export async function revokeToken(
  endpoint: TokenEndpoint,
  address: string,
  token: string,
  kind: 'access_token' | 'refresh_token',
  signal: AbortSignal,
): Promise<void> {
  const { server, client, authentication } = endpoint
  try {
    const options = { ...requestOptions(endpoint, signal), additionalParameters: { token_type_hint: kind } }
    const response = await oauth.revocationRequest({ ...server, revocation_endpoint: address }, client, authentication, token, options)
    await oauth.processRevocationResponse(response)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    const refused = refusalOf(error)
    // RFC 7009, section 2.2.1.
    if (kind === 'refresh_token' || refused.reason !== 'unsupported_token_type') throw refused
  }
}

function refusalOf(error: unknown): TokenRefused {
  if (error instanceof TokenRefused) return error
  if (error instanceof oauth.ResponseBodyError) return new TokenRefused(errorCode.test(error.error) ? error.error : 'unreadable')
  if (error instanceof oauth.WWWAuthenticateChallengeError) return new TokenRefused('invalid_client')
  const isAnswered = error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError
  return new TokenRefused(isAnswered ? 'unreadable' : 'unreachable', { cause: error })
}
