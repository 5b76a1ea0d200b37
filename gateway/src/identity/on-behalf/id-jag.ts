/**
 * An identity assertion for another authorization server (draft-ietf-oauth-identity-assertion-authz-grant, the "enterprise-managed
 * authorization" of MCP): the person's own issuer vouches for them towards the server's, which then gives the token.
 */
import { bearerAssertionGrant } from './entra-obo.ts'
import { requestToken, TokenRefused, type IssuedToken } from './token-request.ts'
import type { TokenEndpoint } from './token-endpoint.ts'
import { exchangeToken, type Asking } from './token-exchange.ts'
import type { Subject } from './subject.ts'

/** What the assertion is for. */
export interface AssertionWish {
  /** Issuer of the authorization server that the assertion is shown to. */
  readonly audience: string
  /** The MCP server. */
  readonly resource: string | undefined
  readonly scopes: readonly string[]
}

/** Where both tokens are asked for. */
export interface AssertionEndpoints {
  readonly issuer: TokenEndpoint
  readonly server: TokenEndpoint
}

/** The authorization server of the MCP server gave nothing for what the issuer has vouched for. */
export class AssertionRefused extends TokenRefused {
  /** Host of that authorization server. */
  readonly host: string

  constructor(host: string, { reason, detail, hasClaims }: TokenRefused) {
    super(reason, { detail, hasClaims })
    this.host = host
  }
}

/** An access token of the server's authorization server. Rejects with a `TokenRefused`, which is an `AssertionRefused` where it is that one’s word. */
export async function assertedToken(at: AssertionEndpoints, wish: AssertionWish, subject: Subject, asking: Asking): Promise<IssuedToken> {
  const assertion = await exchangeToken(at.issuer, { ...wish, requested: 'id_jag' }, subject, asking)
  try {
    const issued = await requestToken(at.server, bearerAssertionGrant, new URLSearchParams({ assertion: assertion.token }), asking)
    if (issued.isBearer && issued.token !== assertion.token && issued.token !== subject.token) return issued
    throw new TokenRefused('unreadable', { detail: 'it issued something else than an access token' })
  } catch (error) {
    throw error instanceof TokenRefused ? new AssertionRefused(new URL(at.server.server.issuer).host, error) : error
  }
}
