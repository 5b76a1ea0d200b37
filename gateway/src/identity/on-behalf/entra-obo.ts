/** Microsoft Entra's on-behalf-of flow: the access token that the person showed this gateway becomes one for another API. */
import { requestToken, TokenRefused, type IssuedToken } from './token-request.ts'
import type { TokenEndpoint } from './token-endpoint.ts'
import type { Asking } from './token-exchange.ts'

/** RFC 7523, section 2.1. */
export const bearerAssertionGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** A token for the API that the scopes name. Rejects with a `TokenRefused`. `assertion`: an access token for this gateway. */
export async function onBehalfOfToken(
  at: TokenEndpoint,
  scopes: readonly string[],
  assertion: string,
  asking: Asking,
): Promise<IssuedToken> {
  const parameters = new URLSearchParams({ assertion, requested_token_use: 'on_behalf_of', scope: scopes.join(' ') })
  const issued = await requestToken(at, bearerAssertionGrant, parameters, asking)
  if (issued.token === assertion) throw new TokenRefused('unreadable', { detail: 'the token that was shown came back' })
  if (!issued.isBearer) throw new TokenRefused('unreadable', { detail: 'it issued something else than an access token' })
  return issued
}
