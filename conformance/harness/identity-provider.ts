/**
 * The identity provider of a company on loopback: a real `oidc-provider` with people, groups and clients. Access tokens for
 * the resource `urn:turnward` are JWTs for the audience `turnward`; those without a resource are opaque and for its userinfo.
 * It exchanges tokens as well (`identity-provider-grants.ts`). Its keys can be rotated and it can go away and come back.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import Provider, { type ClientMetadata, type Configuration, type InteractionResults } from 'oidc-provider'
import { registerExchanges, type ExchangeSeen } from './identity-provider-grants.ts'
import { formOf, openPlace } from './loopback-place.ts'

/** Somebody who can sign in there. More members become claims of every token. */
export interface IdpPerson {
  readonly email?: string
  readonly email_verified?: boolean
  readonly groups?: readonly string[]
  readonly [claim: string]: unknown
}

export interface IdpOptions {
  /** A free one unless told otherwise. */
  readonly port?: number
  /** By their subject; `alice` (staff) and `bob` (support) unless told otherwise. */
  readonly people?: Readonly<Record<string, IdpPerson>>
  /** Besides `turnward` (the gateway; see `gatewayClient`) and `agent` (client credentials). */
  readonly clients?: readonly ClientMetadata[]
  /** Where the gateway's sign-in returns to. */
  readonly redirectUris?: readonly string[]
  /** Issuers besides itself whose tokens it takes as `subject_token`: name of the issuer to its JWKS address. */
  readonly trusts?: Readonly<Record<string, string>>
  /** Which client the one it vouches for (ID-JAG) is at another authorization server: its issuer to the client there; the same unless told otherwise. */
  readonly clientsElsewhere?: Readonly<Record<string, string>>
}

export interface TokenOptions {
  /** Over what the provider would say; undefined removes a claim. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Over `{ alg, kid, typ: 'at+jwt' }`. */
  readonly header?: Readonly<Record<string, unknown>>
}

export interface IdentityProvider extends AsyncDisposable {
  /** `http://127.0.0.1:port`, which is also where it answers. */
  readonly issuer: string
  /** Id and secret of the gateway's client: authorization code, refresh, exchange. */
  readonly gatewayClient: { readonly id: string; readonly secret: string }
  /** Id and secret of a workload that has a token of its own. */
  readonly agentClient: { readonly id: string; readonly secret: string }
  /** An access token for the gateway, as the provider itself makes it for a person who signed in with the client `app`. */
  accessToken(person: string): Promise<string>
  /** Any token, signed with the present key. */
  sign(options: TokenOptions): Promise<string>
  /** An ID token of the person for the gateway's client. */
  idToken(person: string): Promise<string>
  /** Who is signed in without being asked from now on; undefined: a page asks for the name (field `login`, no password). */
  signsIn(person: string | undefined): void
  /** Exchanges that were asked for, oldest first. */
  readonly exchanges: readonly ExchangeSeen[]
  /** Answers exchanges for this person with an error from now on; undefined: as it should. */
  refuses(person: string, error: string | undefined): void
  /** How often a path was asked for. */
  asked(path: string): number
  /** Signs with a new key from now on; `keep`: the old one stays in its key set. */
  rotate(options?: { readonly keep?: boolean }): Promise<void>
  /** Nobody answers at its address until `comeBack`. */
  goAway(): Promise<void>
  comeBack(): Promise<void>
}

const gatewayClient = { id: 'turnward', secret: 'secret-of-the-gateway-at-the-provider-0123456789' }
const agentClient = { id: 'agent', secret: 'secret-of-the-agent-at-the-provider-0123456789ab' }
const usualPeople: Readonly<Record<string, IdpPerson>> = {
  alice: { email: 'alice@acme.example', email_verified: true, groups: ['staff'] },
  bob: { email: 'bob@acme.example', email_verified: true, groups: ['support'] },
}
/** RFC 8707 wants an address; the audience is what tokens say. */
export const turnwardResource = 'urn:turnward'
const claimNames = ['email', 'email_verified', 'groups', 'name']

const hour = 3600

interface SigningKey {
  readonly jwk: JWK
  readonly key: CryptoKey
}

/** Starts one on a free port. */
export async function startIdentityProvider(options: IdpOptions = {}): Promise<IdentityProvider> {
  const people = options.people ?? usualPeople
  const exchanges: ExchangeSeen[] = []
  const refusals = new Map<string, string>()
  const asked = new Map<string, number>()
  let signedIn: string | undefined
  let answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => response.end()
  const place = await openPlace((request, response) => {
    const path = new URL(request.url ?? '/', 'http://idp').pathname
    asked.set(path, (asked.get(path) ?? 0) + 1)
    answer(request, response)
  }, options.port)
  const issuer = `http://127.0.0.1:${place.port}`
  let keys = [await newKey()]
  let provider = begin()

  function begin(): Provider {
    const made = new Provider(issuer, configurationOf(options, people, keys))
    made.proxy = false
    const { trusts = {}, clientsElsewhere = {} } = options
    registerExchanges(made, { seen: exchanges, sign, trusts, clientsElsewhere, refusals, people })
    const serve = made.callback()
    answer = (request, response) => {
      const interaction = /^\/interaction\/[\w-]+$/.test(new URL(request.url ?? '/', issuer).pathname)
      if (interaction) interact(made, request, response, signedIn).catch((error: unknown) => fail(response, error))
      else void serve(request, response)
    }
    return made
  }

  async function sign({ claims = {}, header = {} }: TokenOptions): Promise<string> {
    const [newest] = keys
    if (newest === undefined) throw new Error('there is no key')
    const now = Math.floor(Date.now() / 1000)
    const all = { iss: issuer, aud: 'turnward', iat: now, exp: now + 600, ...claims }
    return new SignJWT(all).setProtectedHeader({ alg: 'ES256', kid: newest.jwk.kid ?? '', typ: 'at+jwt', ...header }).sign(newest.key)
  }

  const close = (): Promise<void> => place.close()
  return {
    issuer,
    gatewayClient,
    agentClient,
    exchanges,
    sign,
    refuses(person, error) {
      if (error === undefined) refusals.delete(person)
      else refusals.set(person, error)
    },
    async accessToken(person) {
      const client = await provider.Client.find('app')
      if (client === undefined) throw new Error('no client')
      const info = { scope: 'openid', audience: 'turnward', accessTokenFormat: 'jwt' as const, jwt: { sign: { alg: 'ES256' as const } } }
      const token = new provider.AccessToken({
        accountId: person,
        client,
        grantId: 'of-a-test',
        gty: 'authorization_code',
        scope: 'openid',
        resourceServer: new provider.ResourceServer(turnwardResource, info),
      })
      token.extra = extraClaims(people[person])
      return token.save()
    },
    idToken: (person) =>
      sign({ claims: { sub: person, aud: gatewayClient.id, nonce: 'n', at_hash: 'h', ...people[person] }, header: { typ: 'JWT' } }),
    signsIn: (person) => void (signedIn = person),
    asked: (path) => asked.get(path) ?? 0,
    async rotate({ keep = true } = {}) {
      keys = [await newKey(), ...(keep ? keys : [])]
      provider = begin()
    },
    goAway: () => place.close(),
    comeBack: () => place.open(),
    [Symbol.asyncDispose]: close,
  }
}

function configurationOf(options: IdpOptions, people: Readonly<Record<string, IdpPerson>>, keys: readonly SigningKey[]): Configuration {
  const exchange = ['urn:ietf:params:oauth:grant-type:token-exchange', 'urn:ietf:params:oauth:grant-type:jwt-bearer']
  return {
    jwks: { keys: keys.map(({ jwk }) => ({ ...jwk }) as never) },
    clients: [
      {
        client_id: gatewayClient.id,
        client_secret: gatewayClient.secret,
        redirect_uris: [...(options.redirectUris ?? ['http://127.0.0.1:1/unused'])],
        grant_types: ['authorization_code', 'refresh_token', ...exchange],
        response_types: ['code'],
      },
      {
        client_id: agentClient.id,
        client_secret: agentClient.secret,
        redirect_uris: [],
        grant_types: ['client_credentials'],
        response_types: [],
      },
      {
        client_id: 'app',
        token_endpoint_auth_method: 'none',
        redirect_uris: ['http://127.0.0.1:1/app'],
        grant_types: ['authorization_code', 'refresh_token'],
      },
      ...(options.clients ?? []),
    ],
    claims: { openid: ['sub', ...claimNames], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
    scopes: ['openid', 'offline_access', 'email', 'profile', 'groups'],
    conformIdTokenClaims: false,
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    ttl: { Interaction: hour, Session: hour, Grant: hour, AccessToken: hour, ClientCredentials: hour, RefreshToken: hour, IdToken: hour },
    cookies: { keys: ['a-key-for-the-cookies-of-the-test-provider'] },
    pkce: { required: () => false },
    issueRefreshToken: async (_ctx, client, code) => client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
    findAccount: (_ctx, subject) =>
      people[subject] === undefined ? undefined : { accountId: subject, claims: async () => ({ ...people[subject], sub: subject }) },
    extraTokenClaims: (_ctx, token) => ('accountId' in token ? extraClaims(people[token.accountId ?? '']) : undefined),
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined as never,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: 'openid email profile groups read write',
          audience: resource === turnwardResource ? 'turnward' : resource,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  }
}

function extraClaims(person: IdpPerson | undefined): Record<string, never> {
  return { ...person } as Record<string, never>
}

async function newKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(privateKey)), kid: `key-${crypto.randomUUID()}`, use: 'sig', alg: 'ES256' }
  return { jwk, key: privateKey }
}

/** Whoever says a name is that person, and agrees to everything. */
async function interact(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  signedIn: string | undefined,
): Promise<void> {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response)
  const finish = (result: InteractionResults): Promise<void> =>
    provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true })
  if (prompt.name === 'consent') {
    const client = String(params.client_id)
    const known = grantId === undefined ? undefined : await provider.Grant.find(grantId)
    const grant = known ?? new provider.Grant({ accountId: session?.accountId ?? '', clientId: client })
    const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details as Record<string, never>
    if (missingOIDCScope !== undefined) grant.addOIDCScope((missingOIDCScope as string[]).join(' '))
    if (missingOIDCClaims !== undefined) grant.addOIDCClaims(missingOIDCClaims)
    for (const [resource, scopes] of Object.entries((missingResourceScopes ?? {}) as Record<string, string[]>))
      grant.addResourceScope(resource, scopes.join(' '))
    return finish({ consent: { grantId: await grant.save() } })
  }
  const person = request.method === 'POST' ? (await formOf(request)).get('login') : signedIn
  if (person === 'refuse') return finish({ error: 'access_denied', error_description: 'the person refused' })
  if (person !== null && person !== undefined && person !== '') return finish({ login: { accountId: person } })
  response.setHeader('content-type', 'text/html; charset=utf-8')
  response.end('<!doctype html><title>Acme</title><form method="post"><input name="login" autofocus><button>Sign in</button></form>')
}

function fail(response: ServerResponse, error: unknown): void {
  if (!response.headersSent) response.statusCode = 500
  response.end(error instanceof Error ? error.message : 'failed')
}
