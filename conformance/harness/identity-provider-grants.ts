/**
 * The grants of the test provider that give a token for a token: exchange (RFC 8693, also for an ID-JAG), on-behalf-of as
 * Entra has it, and an ID-JAG for an access token (jwt-bearer). Keeps what it was asked for, so that a test can look.
 */
import { createRemoteJWKSet, decodeJwt, jwtVerify, type JWTPayload, type JWTVerifyOptions } from 'jose'
import type Provider from 'oidc-provider'
import { errors } from 'oidc-provider'

/** One exchange as it was asked for, and what came of it. */
export interface ExchangeSeen {
  readonly client: string
  readonly parameters: Readonly<Record<string, string | undefined>>
  /** Claims of the token it gave; undefined for a refusal. */
  readonly given: Readonly<Record<string, unknown>> | undefined
}

interface Exchanges {
  readonly seen: ExchangeSeen[]
  readonly sign: (options: { claims: Record<string, unknown>; header?: Record<string, unknown> }) => Promise<string>
  readonly trusts: Readonly<Record<string, string>>
  readonly clientsElsewhere: Readonly<Record<string, string>>
  /** Errors for whoever a token is asked for: subject to error. */
  readonly refusals: ReadonlyMap<string, string>
  readonly people: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const bearerGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const tokenType = (name: string): string => `urn:ietf:params:oauth:token-type:${name}`
const exchangeParameters = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'audience',
  'resource',
  'scope',
]

/** Adds the grants to a provider. */
export function registerExchanges(provider: Provider, { seen, sign, trusts, clientsElsewhere, refusals, people }: Exchanges): void {
  const sets = new Map(Object.entries(trusts).map(([issuer, address]) => [issuer, createRemoteJWKSet(new URL(address))]))
  const own = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`))

  async function verified(token: string | undefined, options: JWTVerifyOptions = {}): Promise<JWTPayload> {
    try {
      // Its own access tokens that are for no resource are nothing to be read, and good all the same.
      const opaque = token?.includes('.') === false ? await provider.AccessToken.find(token) : undefined
      if (opaque !== undefined) return { sub: opaque.accountId }
      const issuer = decodeJwt(token ?? '').iss ?? ''
      const keys = issuer === provider.issuer ? own : sets.get(issuer)
      if (keys === undefined) throw new Error('unknown issuer')
      return (await jwtVerify(token ?? '', keys, { ...options, issuer })).payload
    } catch {
      throw new errors.InvalidGrant('the token is not one of an issuer that is trusted here')
    }
  }

  async function subjectOf(token: string | undefined, options?: JWTVerifyOptions): Promise<JWTPayload> {
    const subject = await verified(token, options)
    const error = refusals.get(String(subject.sub))
    // It quotes what it was sent, as some do: nobody is to pass that on.
    if (error !== undefined) throw new errors.CustomOIDCProviderError(error, `refused: ${token}`)
    return subject
  }

  provider.registerGrantType<Record<string, string | undefined>>(
    exchangeGrant,
    async (ctx) => {
      const { client, params } = ctx.oidc
      const note = noteOf(seen, client.clientId, params, exchangeParameters)
      // An ID token is for the client that signed the person in (OpenID Connect Core, section 2).
      const isForClient = params['subject_token_type'] === tokenType('id_token')
      const subject = await noted(note, subjectOf(params['subject_token'], isForClient ? { audience: client.clientId } : {}))
      const actor = params['actor_token'] === undefined ? { sub: client.clientId } : await noted(note, verified(params['actor_token']))
      const jag = params['requested_token_type'] === tokenType('id-jag')
      const audience = params['audience'] ?? params['resource']
      if (audience === undefined) {
        note(undefined)
        throw new errors.InvalidTarget('say for whom: `audience` or `resource`')
      }
      const claims = {
        ...people[String(subject.sub)],
        sub: subject.sub,
        aud: audience,
        client_id: jag ? (clientsElsewhere[String(audience)] ?? client.clientId) : client.clientId,
        scope: params['scope'],
        jti: crypto.randomUUID(),
        ...(jag
          ? { resource: params['resource'] }
          : { act: { sub: actor.sub, ...(subject['act'] === undefined ? {} : { act: subject['act'] }) } }),
      }
      note(claims)
      ctx.body = {
        access_token: await sign({ claims, header: { typ: jag ? 'oauth-id-jag+jwt' : 'at+jwt' } }),
        issued_token_type: params['requested_token_type'] ?? tokenType('access_token'),
        token_type: jag ? 'N_A' : 'Bearer',
        expires_in: 600,
      }
    },
    exchangeParameters,
    ['audience', 'resource'],
  )

  const bearerParameters = ['assertion', 'scope', 'requested_token_use', 'resource']
  provider.registerGrantType<Record<string, string | undefined>>(
    bearerGrant,
    async (ctx) => {
      const { client, params } = ctx.oidc
      const note = noteOf(seen, client.clientId, params, bearerParameters)
      const isOnBehalf = params['requested_token_use'] === 'on_behalf_of'
      const forUs = { audience: provider.issuer, typ: 'oauth-id-jag+jwt' }
      const subject = await noted(note, subjectOf(params['assertion'], isOnBehalf ? {} : forUs))
      if (!isOnBehalf && subject['client_id'] !== client.clientId) {
        note(undefined)
        throw new errors.InvalidGrant('the assertion is for another client')
      }
      // Entra gives the audience by the resource that the scope is of: `api://crm/.default` is `api://crm`.
      const scope = params['scope'] ?? String(subject['scope'] ?? '')
      const audience = isOnBehalf ? scope.replace(/\/[^/]*$/, '') : (subject['resource'] ?? params['resource'])
      const claims = {
        ...people[String(subject.sub)],
        sub: subject.sub,
        aud: audience,
        azp: client.clientId,
        scp: scope,
        jti: crypto.randomUUID(),
      }
      note(claims)
      ctx.body = { access_token: await sign({ claims }), token_type: 'Bearer', expires_in: 600, scope }
    },
    bearerParameters,
  )
}

type Note = (given: ExchangeSeen['given']) => void

function noteOf(seen: ExchangeSeen[], client: string, params: Readonly<Record<string, unknown>>, names: readonly string[]): Note {
  const parameters = Object.fromEntries(names.flatMap((name) => (typeof params[name] === 'string' ? [[name, params[name]]] : [])))
  return (given) => void seen.push({ client, parameters, given })
}

async function noted<T>(note: Note, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    note(undefined)
    throw error
  }
}
