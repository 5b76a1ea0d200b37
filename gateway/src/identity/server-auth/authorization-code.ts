/**
 * The way of one person to the authorization server of a server and back: authorization code with PKCE (OAuth 2.1, MCP
 * authorization). What was found out before the browser left is what counts when it comes back.
 */
import * as oauth from 'oauth4webapi'
import { z } from 'zod'
import type { McpServer } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { clientAuthentication } from '../on-behalf/client-authentication.ts'
import { addressOf, type LinkTokens } from '../on-behalf/link.ts'
import { LinkDeclined, type BegunLink, type LinkEngine, type LinkQuestion } from '../on-behalf/link-engine.ts'
import type { TokenEndpoint } from '../on-behalf/token-endpoint.ts'
import { TokenRefused } from '../on-behalf/token-request.ts'
import type { Challenge, ServerAuthOf } from './auth-kind.ts'
import { authOf } from './server-credentials.ts'
import { codeOf } from './authorization-response.ts'
import { scopesOf } from './challenge.ts'
import type { ClientRegistrations, KnownClient } from './client-registration.ts'
import { reachingFetch, NotReached, type Reach, type Resolve } from './reaching.ts'
import { chooseScopes, withOfflineAccess } from './scope-choice.ts'
import { discoverServer, endpointsOfOrigin, trusting, type Discovered } from './server-discovery.ts'
import { findIssuerMetadata } from './issuer-metadata.ts'
import { askForTokens, revokeToken, type Issued } from './token-answer.ts'

export interface AuthorizationCodeParts {
  readonly registrations: ClientRegistrations
  /** Address of the document about this client. */
  readonly documentUrl: () => string
  /** What the server said when it refused a request that showed nothing; undefined where it has not been asked. */
  readonly challengeOf: (server: McpServer) => Challenge | undefined
  readonly clock: Pick<Clock, 'now'>
  readonly resolve?: Resolve | undefined
}

const clientSchema = z.object({
  id: z.string(),
  secret: z.string().optional(),
  private_key: z.string().optional(),
  key_id: z.string().optional(),
  auth: z.enum(['basic', 'post', 'private_key_jwt', 'none']).optional(),
})

const pendingSchema = z.object({
  issuer: z.string(),
  tokenEndpoint: z.string(),
  namesItself: z.boolean(),
  client: clientSchema,
  verifier: z.string(),
  redirectUri: z.string(),
  resource: z.string(),
  scope: z.string(),
  reach: z.object({ allowHttp: z.boolean(), allowPrivate: z.boolean(), trusted: z.array(z.string()) }),
})

/** What is kept with the tokens: nothing secret but them. */
const renewalSchema = z.object({
  issuer: z.string(),
  tokenEndpoint: z.string(),
  client: z.string(),
  redirectUri: z.string(),
  resource: z.string(),
})

export class AuthorizationCode implements LinkEngine {
  readonly #parts: AuthorizationCodeParts

  constructor(parts: AuthorizationCodeParts) {
    this.#parts = parts
  }

  async begin({ server, auth, scopes, state, redirectUri, signal }: LinkQuestion): Promise<BegunLink> {
    const { registrations, documentUrl, challengeOf } = this.#parts
    return explained(server, async () => {
      const reach = reachOf(auth)
      const challenge = challengeOf(server)
      const found = await this.#discover(server, auth, challenge, signal)
      const { issuer } = found
      const endpoint = authorizationEndpoint(found, reach)
      const known = trusting(
        reach,
        auth.issuers,
        auth.clients.map((client) => client.issuer),
        ownOrigin(found, server),
      )
      const client = await registrations.client({ auth, issuer, redirectUri, documentUrl: documentUrl(), reach: known, signal })
      const wanted = chooseScopes({ configured: scopes ?? auth.scopes, challenged: scopesOf(challenge?.scope), supported: found.scopes })
      const scope = withOfflineAccess(wanted, issuer.scopes_supported).join(' ')
      const verifier = oauth.generateRandomCodeVerifier()
      const { searchParams } = endpoint
      for (const [name, value] of Object.entries({
        response_type: 'code',
        client_id: client.id,
        redirect_uri: redirectUri,
        state,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        resource: found.resource,
        ...(scope === '' ? {} : { scope }),
        // Some give a refresh token only to those whom the person was asked about just now (OpenID Connect Core, section 11).
        ...(scopesOf(scope).includes('offline_access') ? { prompt: 'consent' } : {}),
      }))
        searchParams.set(name, value)
      const { id, secret, private_key, key_id, auth: how } = client
      const pending: z.output<typeof pendingSchema> = {
        issuer: issuer.issuer,
        tokenEndpoint: issuer.token_endpoint,
        namesItself: issuer.authorization_response_iss_parameter_supported === true,
        client: { id, secret, private_key, key_id, auth: how },
        verifier,
        redirectUri,
        resource: found.resource,
        scope,
        reach: { ...known, trusted: [...known.trusted] },
      }
      return { url: endpoint.href, host: endpoint.host, pending }
    })
  }

  async finish(kept: Readonly<Record<string, unknown>>, answer: URLSearchParams, signal: AbortSignal): Promise<LinkTokens> {
    const pending = pendingSchema.parse(kept)
    return explained(undefined, async () => {
      const code = codeOf(answer, pending)
      const { verifier, redirectUri, resource, scope, issuer, tokenEndpoint, client, reach } = pending
      const parameters = new URLSearchParams({ code, code_verifier: verifier, redirect_uri: redirectUri, resource })
      const issued = await this.#ask(this.#endpoint(pending, client, reach), 'authorization_code', parameters, signal).catch(
        async (error: unknown) => {
          if (error instanceof TokenRefused && error.reason === 'invalid_client')
            await this.#parts.registrations.forget(issuer, redirectUri)
          throw error
        },
      )
      return tokensOf(issued, scope, { issuer, tokenEndpoint, client: client.id, redirectUri, resource })
    })
  }

  /** New tokens for those that end. Rejects with a `TokenRefused`: `invalid_grant` where the person has to consent again. */
  async renew(server: McpServer, tokens: LinkTokens, signal: AbortSignal): Promise<LinkTokens> {
    const { renewal, client, reach } = await this.#asBefore(server, tokens)
    const { issuer, redirectUri, resource } = renewal
    if (tokens.refresh === undefined) throw new TokenRefused('invalid_grant')
    const parameters = new URLSearchParams({ refresh_token: tokens.refresh, resource })
    const issued = await this.#ask(this.#endpoint(renewal, client, reach), 'refresh_token', parameters, signal).catch(
      async (error: unknown) => {
        if (!(error instanceof TokenRefused) || error.reason !== 'invalid_client') throw error
        await this.#parts.registrations.forget(issuer, redirectUri)
        throw client.from === 'registered' ? new TokenRefused('invalid_grant') : error
      },
    )
    const next = tokensOf(issued, tokens.scope ?? '', renewal)
    return next.refresh === undefined ? { ...next, refresh: tokens.refresh } : next
  }

  /**
   * Takes tokens back (RFC 7009): what they are renewed with first, which ends the rest wherever the authorization server does as it
   * should. False where it offers no such thing. Rejects with a `TokenRefused` or a `NotReached`.
   */
  async revoke(server: McpServer, tokens: LinkTokens, signal: AbortSignal): Promise<boolean> {
    const { renewal, client, reach } = await this.#asBefore(server, tokens)
    const metadata = await findIssuerMetadata(renewal.issuer, reach, signal, this.#parts.resolve)
    if (metadata?.revocation_endpoint === undefined) return false
    const at = this.#endpoint(renewal, client, reach)
    const { access, refresh } = tokens
    if (refresh !== undefined) await revokeToken(at, metadata.revocation_endpoint, refresh, 'refresh_token', signal)
    await revokeToken(at, metadata.revocation_endpoint, access, 'access_token', signal)
    return true
  }

  /** As whom tokens were had, and how far that goes now. Tokens are of one client: as another one nobody can do anything with them. */
  async #asBefore(
    server: McpServer,
    tokens: LinkTokens,
  ): Promise<{ readonly renewal: z.output<typeof renewalSchema>; readonly client: KnownClient; readonly reach: Reach }> {
    const auth = authOf(server)
    const renewal = renewalSchema.safeParse(tokens.renewal).data
    if (auth?.kind !== 'user' || renewal === undefined) throw new TokenRefused('invalid_grant')
    const { issuer, redirectUri } = renewal
    const client = await this.#parts.registrations.known(
      { auth, issuer: { issuer }, redirectUri, documentUrl: this.#parts.documentUrl() },
      renewal.client,
    )
    if (client === undefined) throw new TokenRefused('invalid_grant')
    const reach = trusting(
      reachOf(auth),
      auth.issuers,
      auth.clients.map((each) => each.issuer),
      [new URL(addressOf(server)).origin],
    )
    return { renewal, client, reach }
  }

  async #discover(
    server: McpServer,
    auth: ServerAuthOf<'user'>,
    challenge: Challenge | undefined,
    signal: AbortSignal,
  ): Promise<Discovered> {
    const url = addressOf(server)
    const question = {
      url,
      challenge,
      allowed: auth.issuers,
      preferred: auth.clients.map(({ issuer }) => issuer),
      reach: reachOf(auth),
      signal,
      resolve: this.#parts.resolve,
    }
    return (await discoverServer(question)) ?? endpointsOfOrigin(url)
  }

  #endpoint(
    { issuer, tokenEndpoint }: { readonly issuer: string; readonly tokenEndpoint: string },
    client: Omit<KnownClient, 'from'>,
    reach: Reach,
  ): TokenEndpoint {
    return {
      server: { issuer, token_endpoint: tokenEndpoint },
      client: { client_id: client.id },
      authentication: clientAuthentication(client),
      allowHttp: reach.allowHttp,
      fetch: reachingFetch(reach, this.#parts.resolve),
    }
  }

  #ask(endpoint: TokenEndpoint, grant: string, parameters: URLSearchParams, signal: AbortSignal): Promise<Issued> {
    return askForTokens(endpoint, grant, parameters, { now: this.#parts.clock.now(), signal })
  }
}

/** How far requests for a server with this configuration go. */
export function reachOf({
  allow_http: allowHttp,
  allow_private: allowPrivate,
}: {
  readonly allow_http: boolean
  readonly allow_private: boolean
}): Reach {
  return { allowHttp, allowPrivate, trusted: [] }
}

/** An authorization server at the origin of the server that an administrator wrote down is reached like the server. */
function ownOrigin({ issuer }: Discovered, server: McpServer): readonly string[] {
  const { origin } = new URL(addressOf(server))
  return issuer.issuer === origin ? [origin] : []
}

/** Where the browser goes. It is sent nowhere without PKCE, and to nothing but a page. */
function authorizationEndpoint({ issuer }: Discovered, { allowHttp }: Reach): URL {
  const url = URL.parse(issuer.authorization_endpoint ?? '')
  if (url === null) throw new NotReached('the authorization server has no page where people consent')
  const isOwn = url.protocol === 'http:' && allowHttp && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)
  if ((url.protocol !== 'https:' && !isOwn) || url.username !== '' || url.hash !== '')
    throw new NotReached('the page where people consent has an address that no browser is sent to')
  if (issuer.code_challenge_methods_supported?.includes('S256') !== true)
    throw new NotReached('the authorization server does not say that it checks PKCE (`code_challenge_methods_supported`: `S256`)')
  return url
}

function tokensOf(
  { access, refresh, expires, scope }: Issued,
  asked: string,
  { issuer, tokenEndpoint, client, redirectUri, resource }: z.output<typeof renewalSchema>,
): LinkTokens {
  const given = scope ?? asked
  return {
    access,
    ...(refresh === undefined ? {} : { refresh }),
    ...(expires === undefined ? {} : { expires }),
    ...(given === '' ? {} : { scope: given }),
    renewal: { issuer, tokenEndpoint, client, redirectUri, resource },
  }
}

/** What fails, in words for whoever wanted it. */
async function explained<T>(server: McpServer | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof LinkDeclined || error instanceof TurnwardError) throw error
    throw noCredential(server?.name, error)
  }
}

/** `mcp.no_credential`, with the reason that is known. */
export function noCredential(server: string | undefined, error: unknown): TurnwardError {
  const why =
    error instanceof NotReached
      ? error.message
      : error instanceof TokenRefused && error.cause instanceof NotReached
        ? error.cause.message
        : error instanceof TokenRefused
          ? `the authorization server says \`${error.message}\``
          : 'the authorization server cannot be used'
  return new TurnwardError('mcp.no_credential', { subject: server, why, cause: error })
}
