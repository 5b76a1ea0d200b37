/**
 * How `oidc-provider` is set up for one configuration and one set of keys: what is switched on, and every place where it asks us.
 * It decides what the specifications say; who somebody is, what they agreed to and what a token is for is decided by us.
 */
import { hkdfSync } from 'node:crypto'
import type { OAuthConfig } from '@turnward/contract/config/identity/oauth'
import { errors, type Client, type Configuration, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider'
import type { Scope } from '../../core/principal.ts'
import { accountOf, type Account } from './account.ts'
import { applicationType, configuredClient, redirectProblem, takenDocument } from './client-metadata.ts'
import { fetchDocument, type FetchedDocument } from './fetching-documents.ts'
import { actOf } from './acting.ts'
import { tokenIdOf } from './own-token-way.ts'
import { resourceOf, resourceUri, scopesOf, usualScopes } from './resources.ts'
import type { SigningKeySet } from './signing-keys.ts'

export interface ProviderParts {
  readonly config: OAuthConfig
  /** Origin that everything begins with. */
  readonly publicUrl: string
  readonly keys: SigningKeySet
  readonly secret: Buffer
  readonly adapter: Configuration['adapter']
  /** Whether this person may still get tokens for what was given to it then (Unix milliseconds). */
  readonly isKnown: (account: Account, since: number) => Promise<boolean>
  /** Whether there is a gateway of this name. */
  readonly hasGateway: (name: string) => boolean
  /** The grant a person gave this client before; undefined for none. */
  readonly grantBefore: NonNullable<Configuration['loadExistingGrant']>
  readonly pages: Pages
}

/** What is shown in a browser where the server would show something itself. */
export interface Pages {
  readonly error: (ctx: KoaContextWithOIDC, error: { readonly error: string; readonly error_description?: string | undefined }) => void
  /** Asks for the code a device shows. `wasWrong`: after one that is not known. `code`: what the address said already. */
  readonly askForCode: (ctx: KoaContextWithOIDC, why: { readonly wasWrong: boolean; readonly code?: string }) => void
  /** Asks whether this is the code on the device. */
  readonly confirmCode: (ctx: KoaContextWithOIDC, client: Client, code: string) => void
  readonly deviceDone: (ctx: KoaContextWithOIDC) => void
  /** The person said that it is not theirs. */
  readonly deviceRefused: (ctx: KoaContextWithOIDC) => void
}

/** Where an interaction of a person stands: signing in, or consent. */
export const interactionPath = '/oauth/interaction/'

/** Paths of ours below `/oauth`. */
export const oauthRoutes = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  jwks: '/oauth/jwks',
  revocation: '/oauth/revoke',
  registration: '/oauth/register',
  device_authorization: '/oauth/device/authorize',
  code_verification: '/oauth/device',
  pushed_authorization_request: '/oauth/par',
} as const

/** The property that makes `oidc-provider` show us the metadata of each client before it reads it. */
const looksAtMetadata = 'turnward_seen'

export function providerConfiguration(parts: ProviderParts): Configuration {
  const { config, publicUrl, keys, secret, pages } = parts
  const { lifetimes, registration } = config
  const isSecure = publicUrl.startsWith('https:')
  const cookie = { httpOnly: true, sameSite: 'lax', signed: true, secure: isSecure } as const
  return {
    adapter: parts.adapter,
    clients: Object.entries(config.clients).map(([id, client]) => configuredClient(id, client)),
    jwks: { keys: keys.keys },
    routes: oauthRoutes,
    cookies: {
      // `__Host-` binds a cookie to this host and to https; those of one interaction have a path of their own.
      names: isSecure
        ? { session: '__Host-turnward_oauth', interaction: '__Secure-turnward_interaction', resume: '__Secure-turnward_resume' }
        : { session: 'turnward_oauth', interaction: 'turnward_interaction', resume: 'turnward_resume' },
      long: cookie,
      short: cookie,
      keys: [Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), 'turnward/oauth/cookies', 32)).toString('base64url')],
    },
    scopes: [],
    claims: { sub: null, iss: null, sid: null, acr: null },
    responseTypes: ['code'],
    subjectTypes: ['public'],
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    clientDefaults: { grant_types: ['authorization_code'], response_types: ['code'], token_endpoint_auth_method: 'none' },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    enabledJWA: { clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256', 'Ed25519'], dPoPSigningAlgValues: ['ES256', 'Ed25519', 'EdDSA'] },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      clientCredentials: { enabled: true },
      // Of others' tokens a client learns nothing, and ends none.
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      dPoP: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      registration: { enabled: registration.dcr, issueRegistrationAccessToken: false },
      clientIdMetadataDocument: { enabled: registration.cimd, ack: 'draft-02' },
      deviceFlow: {
        enabled: true,
        deviceInfo: () => ({}),
        userCodeInputSource: (ctx, _form, out, error) =>
          error?.name === 'AbortedError' ? pages.deviceRefused(ctx) : pages.askForCode(ctx, { wasWrong: out !== undefined }),
        userCodeConfirmSource: (ctx, _form, client, _device, code) => pages.confirmCode(ctx, client, code),
        successSource: (ctx) => pages.deviceDone(ctx),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx, _client, oneOf) => oneOf?.[0] ?? publicUrl,
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, indicator, client) => resourceServer(parts, ctx, indicator, client),
      },
    },
    extraClientMetadata: {
      properties: [looksAtMetadata],
      validator: (_ctx, _key, _value, metadata) => {
        const uris: readonly unknown[] = Array.isArray(metadata.redirect_uris) ? metadata.redirect_uris : []
        const problem = uris.map(redirectProblem).find((one) => one !== undefined)
        if (problem !== undefined) throw new errors.InvalidRedirectUri(problem)
        // We sign nothing else than access tokens, and everything in one way.
        // Which scopes it may have is not for it to say.
        const ours = { application_type: applicationType(uris), id_token_signed_response_alg: keys.keys[0].alg, scope: undefined }
        Object.assign(metadata, ours)
      },
    },
    extraTokenClaims: (_ctx, token) => {
      const issuer = 'accountId' in token ? accountOf(token.accountId ?? '')?.issuer : undefined
      const grant = 'grantId' in token ? token.grantId : undefined
      const act = actOf(token)
      return {
        ...(issuer === undefined || issuer === null ? {} : { idp: issuer }),
        ...(grant === undefined ? {} : { gid: tokenIdOf(grant) }),
        ...(act === undefined ? {} : { act }),
      }
    },
    formats: {
      customizers: {
        jwt: (_ctx, token, { payload }) => {
          payload['sub'] = subjectOf(config, token)
        },
      },
    },
    findAccount: async (_ctx, id, token) => {
      const account = accountOf(id)
      if (account === undefined || !(await parts.isKnown(account, (token?.iat ?? Infinity) * 1000))) return undefined
      return { accountId: id, claims: () => ({ sub: account.person }) }
    },
    loadExistingGrant: parts.grantBefore,
    interactions: { url: (_ctx, { uid }) => `${interactionPath}${uid}` },
    renderError: (ctx, out) => pages.error(ctx, out),
    ttl: {
      AccessToken: lifetimes.access_token_seconds,
      ClientCredentials: lifetimes.access_token_seconds,
      AuthorizationCode: lifetimes.code_seconds,
      RefreshToken: lifetimes.refresh_token_seconds,
      DeviceCode: lifetimes.device_code_seconds,
      Interaction: lifetimes.interaction_seconds,
      Grant: Math.max(lifetimes.consent_seconds, lifetimes.refresh_token_seconds),
      Session: 24 * 3600,
    },
    clientBasedCORS: (_ctx, origin, client) => (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin),
    // What clients name is fetched by us, with an eye on where it leads.
    fetch: async (address) => responseOf(await fetchForClient(new URL(address as string | URL).href, config)),
  }
}

function fetchForClient(address: string, { registration }: OAuthConfig): Promise<FetchedDocument> {
  return fetchDocument(address, { privateHosts: new Set(registration.cimd_private_hosts.map((host) => host.toLowerCase())) })
}

/** The document as a response. One about a client has only what is taken of it; its keys are as they are. */
function responseOf({ status, headers, text }: FetchedDocument): Response {
  return new Response(takenDocument(text) ?? text, { status: status >= 200 && status <= 599 ? status : 502, headers: [...headers] })
}

/** Scopes a client may have at most; one that nobody has set up administers nothing. */
export function scopesOfClient({ clients }: OAuthConfig, id: string): readonly Scope[] {
  return (Object.hasOwn(clients, id) ? clients[id]?.scopes : undefined) ?? ['models', 'mcp']
}

/** What a token for this indicator may be. Throws `invalid_target` for what is not here, or not for this client. */
export function resourceServer(
  { config, publicUrl, hasGateway, keys }: ProviderParts,
  ctx: KoaContextWithOIDC,
  indicator: string,
  client: Client,
): ResourceServer {
  const resource = resourceOf(publicUrl, indicator)
  if (resource === undefined || (resource.kind === 'mcp' && !hasGateway(resource.gateway))) throw new errors.InvalidTarget()
  const allowed = scopesOfClient(config, client.clientId)
  const scopes = scopesOf(resource).filter((scope) => allowed.includes(scope))
  if (scopes.length === 0) throw new errors.InvalidTarget('this client may not have tokens for this resource')
  const { params } = ctx.oidc
  // A client that asks for nothing gets what is usual; one that asks for what it may not have is told.
  if (params !== undefined && (params['scope'] === undefined || params['scope'] === ''))
    params['scope'] = usualScopes(resource)
      .filter((scope) => allowed.includes(scope))
      .join(' ')
  return {
    scope: scopes.join(' '),
    audience: resourceUri(publicUrl, resource),
    accessTokenFormat: 'jwt',
    accessTokenTTL: config.lifetimes.access_token_seconds,
    jwt: { sign: { alg: keys.keys[0].alg, kid: keys.keys[0].kid } },
  }
}

function subjectOf(
  config: OAuthConfig,
  token: { readonly accountId?: string | undefined; readonly clientId?: string | undefined },
): string {
  const person = token.accountId === undefined ? undefined : accountOf(token.accountId)?.person
  const subject = person ?? config.clients[token.clientId ?? '']?.principal
  if (subject === undefined) throw new errors.InvalidGrant('nobody is known for this token')
  return subject
}
