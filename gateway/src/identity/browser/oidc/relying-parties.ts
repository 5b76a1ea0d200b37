/**
 * We as a client of issuers that people sign in with: authorization code, PKCE, nonce, state, `iss` (RFC 9207), a callback
 * address for each issuer, and the signature of the ID token. What is asked where is decided by the configuration and the
 * issuer's own metadata, never by a browser.
 */
import { createPrivateKey, webcrypto } from 'node:crypto'
import type * as OpenidClient from 'openid-client'
import type { ClientAuth, Configuration } from 'openid-client'
import { TurnwardError } from '../../../core/error.ts'
import { sha256 } from '../../../core/hash.ts'
import { randomText } from '../../../core/ids.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { Clock } from '../../../core/clock.ts'
import { guardedFetch, type GuardedFetch } from '../../guarded-fetch.ts'
import type { IssuerClient } from '../../../core/issuer.ts'
import type { LoginIssuer } from './login-issuer.ts'

/** What an issuer gave for a person who signed in. */
export interface SignedIn {
  readonly claims: JsonObject
  readonly tokens: IssuerTokens
}

/** Kept for exchanges with the same issuer; never shown. */
export interface IssuerTokens {
  readonly idToken: string
  readonly refreshToken: string | undefined
  readonly accessToken: string
  /** End of the access token, Unix milliseconds; undefined where the issuer did not say. */
  readonly accessTokenExpires: number | undefined
}

/** What a browser takes to the issuer, and what it must bring back. */
export interface Question {
  readonly url: string
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

/** Metadata is asked for again after this time. */
const metadataMs = 3600_000
const timeoutSeconds = 10

interface Known {
  readonly configuration: Promise<Configuration>
  readonly until: number
}

export class RelyingParties {
  readonly #clock: Clock
  readonly #fetchFor: (issuer: LoginIssuer) => GuardedFetch
  /** By issuer and everything that is asked with; a changed configuration is asked for anew. */
  readonly #known = new Map<string, Known>()

  constructor(
    clock: Clock,
    fetchFor = (issuer: LoginIssuer): GuardedFetch => guardedFetch({ home: issuer.issuer, allowHttp: issuer.allowHttp }),
  ) {
    this.#clock = clock
    this.#fetchFor = fetchFor
  }

  /** `fresh`: asks for a new sign-in, even where somebody is signed in at the issuer. Rejects with `auth.issuer_unavailable`. */
  async ask(issuer: LoginIssuer, redirectUri: string, fresh: boolean): Promise<Question> {
    const client = await import('openid-client')
    const configuration = await this.#configuration(issuer)
    const question = { state: randomText(43), nonce: randomText(43), verifier: client.randomPKCECodeVerifier() }
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: [...new Set(['openid', ...issuer.client.scopes])].join(' '),
      state: question.state,
      nonce: question.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(question.verifier),
      code_challenge_method: 'S256',
      ...(fresh ? { prompt: 'login' } : {}),
    })
    return { ...question, url: url.href }
  }

  /**
   * `callback`: our address for this issuer with the query the browser came back with. Rejects with `auth.sign_in_refused`
   * (the issuer says no), `auth.sign_in_failed` (what came back is not what was asked for) or `auth.issuer_unavailable`.
   */
  async answer(issuer: LoginIssuer, callback: URL, { state, nonce, verifier }: Omit<Question, 'url'>): Promise<SignedIn> {
    const client = await import('openid-client')
    const configuration = await this.#configuration(issuer)
    try {
      const answer = await client.authorizationCodeGrant(configuration, callback, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      })
      const claims = answer.claims()
      if (claims === undefined || answer.id_token === undefined) throw new TurnwardError('auth.sign_in_failed', { subject: issuer.name })
      const seconds = answer.expiresIn()
      return {
        // It came as JSON.
        claims: { ...claims } as JsonObject,
        tokens: {
          idToken: answer.id_token,
          refreshToken: answer.refresh_token,
          accessToken: answer.access_token,
          accessTokenExpires: seconds === undefined ? undefined : this.#clock.now() + seconds * 1000,
        },
      }
    } catch (error) {
      throw failure(issuer, error)
    }
  }

  async #configuration(issuer: LoginIssuer): Promise<Configuration> {
    const now = this.#clock.now()
    const key = sha256(JSON.stringify([issuer.name, issuer.issuer, issuer.discovery, issuer.client, issuer.allowHttp, issuer.clockSkewMs]))
    const known = this.#known.get(key)
    if (known !== undefined && known.until > now) return known.configuration
    const configuration = this.#discover(issuer)
    if (this.#known.size > 200) this.#known.clear()
    this.#known.set(key, { configuration, until: now + metadataMs })
    // An issuer that is away is asked again by whoever comes next.
    configuration.catch(() => this.#known.delete(key))
    return configuration
  }

  async #discover(issuer: LoginIssuer): Promise<Configuration> {
    const client = await import('openid-client')
    const { id } = issuer.client
    try {
      const auth = await clientAuth(client, issuer.client)
      const configuration = await client.discovery(
        new URL(issuer.discovery ?? issuer.issuer),
        id,
        { [client.clockTolerance]: issuer.clockSkewMs / 1000 },
        auth,
        {
          [client.customFetch]: this.#fetchFor(issuer) as never,
          timeout: timeoutSeconds,
          execute: [client.enableNonRepudiationChecks, ...(issuer.allowHttp ? [client.allowInsecureRequests] : [])],
        },
      )
      // Discovery compares loosely in some forms; what is not the configured name is not the issuer.
      if (configuration.serverMetadata().issuer !== issuer.issuer) throw new Error('its metadata names another issuer')
      return configuration
    } catch (cause) {
      throw new TurnwardError('auth.issuer_unavailable', { subject: issuer.name, why: reasonOf(cause), cause })
    }
  }
}

async function clientAuth(client: typeof OpenidClient, { auth, secret, privateKey }: IssuerClient): Promise<ClientAuth> {
  if (auth === 'none') return client.None()
  if (auth === 'basic') return client.ClientSecretBasic(secret)
  if (auth === 'post') return client.ClientSecretPost(secret)
  return client.PrivateKeyJwt(await signingKey(privateKey ?? ''))
}

async function signingKey(pem: string): Promise<webcrypto.CryptoKey> {
  const key = createPrivateKey(pem)
  const bytes = key.export({ type: 'pkcs8', format: 'der' })
  const { asymmetricKeyType: type } = key
  if (type === 'ed25519') return webcrypto.subtle.importKey('pkcs8', bytes, 'Ed25519', false, ['sign'])
  if (type === 'ec') return webcrypto.subtle.importKey('pkcs8', bytes, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
  return webcrypto.subtle.importKey('pkcs8', bytes, { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false, ['sign'])
}

/** What the issuer itself says is no secret, and not ours to repeat: only its code is. */
function failure(issuer: LoginIssuer, error: unknown): TurnwardError {
  if (error instanceof TurnwardError) return error
  const { code, error: said } = (typeof error === 'object' && error !== null ? error : {}) as {
    readonly code?: unknown
    readonly error?: unknown
  }
  const subject = issuer.name
  if (code === 'OAUTH_AUTHORIZATION_RESPONSE_ERROR')
    return new TurnwardError('auth.sign_in_refused', {
      subject,
      why: typeof said === 'string' && /^[a-z_]{1,40}$/.test(said) ? `it says \`${said}\`` : undefined,
      cause: error,
    })
  if (code === 'OAUTH_TIMEOUT')
    return new TurnwardError('auth.issuer_unavailable', { subject, why: 'it does not answer in time', cause: error })
  return new TurnwardError('auth.sign_in_failed', { subject, why: typeof code === 'string' ? `\`${code}\`` : undefined, cause: error })
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'its metadata could not be read'
  const inner = cause.cause instanceof Error ? `: ${cause.cause.message}` : ''
  return `${cause.message}${inner}`
}
