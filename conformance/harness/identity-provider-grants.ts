/**
 * The grants of the test provider that give a token for a token: exchange (RFC 8693, also for an ID-JAG), on-behalf-of as
 * Entra has it, and an ID-JAG for an access token (jwt-bearer). Keeps what it was asked for, so that a test can look.
 */
import { createRemoteJWKSet, decodeJwt, jwtVerify, type JWTPayload } from 'jose'
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
export function registerExchanges(provider: Provider, { seen, sign, trusts, people }: Exchanges): void {
  const sets = new Map(Object.entries(trusts).map(([issuer, address]) => [issuer, createRemoteJWKSet(new URL(address))]))
  const own = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`))

  async function verified(token: string | undefined): Promise<JWTPayload> {
    try {
      const issuer = decodeJwt(token ?? '').iss ?? ''
      const keys = issuer === provider.issuer ? own : sets.get(issuer)
      if (keys === undefined) throw new Error('unknown issuer')
      return (await jwtVerify(token ?? '', keys, { issuer })).payload
    } catch {
      throw new errors.InvalidGrant('the token is not one of an issuer that is trusted here')
    }
  }

  provider.registerGrantType<Record<string, string | undefined>>(
    exchangeGrant,
    async (ctx) => {
      const { client, params } = ctx.oidc
      const note = noteOf(seen, client.clientId, params, exchangeParameters)
      const subject = await noted(note, verified(params['subject_token']))
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
        client_id: client.clientId,
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
      const subject = await noted(note, verified(params['assertion']))
      // Entra gives the audience by the resource that the scope is of: `api://crm/.default` is `api://crm`.
      const scope = params['scope'] ?? ''
      const audience =
        params['requested_token_use'] === 'on_behalf_of' ? scope.replace(/\/[^/]*$/, '') : (subject['resource'] ?? params['resource'])
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
