/**
 * Two grants that `oidc-provider` does not have: a token of an enterprise issuer becomes one of ours (RFC 8693), and so does its
 * assertion that a person may use us through a client (RFC 7523 with ID-JAG). The client that asks is named as who acts.
 */
import { errors, type Provider, type TokenEndpointGrantContext } from 'oidc-provider'
import type { Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { setActors } from './acting.ts'
import { accountId } from './account.ts'
import { grantTypes } from './client-metadata.ts'
import type { Asserted, InboundAssertions } from './inbound-assertions.ts'
import { resourceServer, type ProviderParts } from './provider-configuration.ts'

export interface AssertionGrantParts {
  readonly parts: ProviderParts
  readonly assertions: InboundAssertions
  readonly snapshot: Snapshot
}

type Grants = TokenEndpointGrantContext<Readonly<Record<string, unknown>>>

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'
const jwtType = 'urn:ietf:params:oauth:token-type:jwt'

export function registerAssertionGrants(provider: Provider, { parts, assertions, snapshot }: AssertionGrantParts): void {
  provider.registerGrantType(
    grantTypes.token_exchange,
    async (ctx: Grants) => {
      const { params } = ctx.oidc
      const type = textOf(params['subject_token_type'])
      if (type !== accessTokenType && type !== jwtType) throw new errors.InvalidRequest('this type of subject_token is not taken')
      if (![undefined, accessTokenType].includes(params['requested_token_type'] as string | undefined))
        throw new errors.InvalidRequest('only access tokens are given out')
      // The client itself acts; a word of somebody else about who does is nothing that could be checked here.
      if (params['actor_token'] !== undefined) throw new errors.InvalidRequest('actor_token is not taken: the client that asks is who acts')
      const asserted = await taken(assertions.ofToken(textOf(params['subject_token']), snapshot))
      await give(ctx, parts, asserted, [ctx.oidc.client.clientId, ...asserted.actors], accessTokenType)
    },
    ['subject_token', 'subject_token_type', 'requested_token_type', 'actor_token', 'actor_token_type', 'resource', 'audience', 'scope'],
  )
  provider.registerGrantType(
    grantTypes.jwt_bearer,
    async (ctx: Grants) => {
      const { params, client } = ctx.oidc
      const meant = { client: client.clientId, audience: parts.publicUrl }
      const asserted = await taken(assertions.ofAssertion(textOf(params['assertion']), meant, snapshot))
      const isNew = await provider.ReplayDetection.unique(asserted.by, asserted.id, Math.ceil(asserted.expires / 1000) + 60)
      if (!isNew) throw new errors.InvalidGrant('the assertion was used already')
      await give(ctx, parts, asserted, [], undefined)
    },
    ['assertion', 'resource', 'scope'],
  )
}

async function give(
  ctx: Grants,
  parts: ProviderParts,
  asserted: Asserted,
  actors: readonly string[],
  issued: string | undefined,
): Promise<void> {
  const { client, provider, params } = ctx.oidc
  if (client.dpopBoundAccessTokens === true) throw new errors.InvalidRequest('this grant gives no tokens that are bound to keys')
  const indicator = textOf(params['resource'] ?? params['audience'] ?? parts.publicUrl)
  const server = resourceServer(parts, ctx, indicator, client)
  const left = Math.floor((asserted.expires - Date.now()) / 1000)
  if (left < 1) throw new errors.InvalidGrant('what was shown has expired')
  const token = new provider.AccessToken({
    accountId: accountId(asserted),
    client,
    gty: textOf(params['grant_type']),
    scope: scopeOf(textOf(params['scope']), server.scope ?? ''),
  } as ConstructorParameters<Provider['AccessToken']>[0])
  // What it came from ends it.
  token.resourceServer = new provider.ResourceServer(indicator, {
    ...server,
    accessTokenTTL: Math.min(server.accessTokenTTL ?? left, left),
  })
  setActors(token, actors)
  const value = await token.save()
  ctx.body = {
    access_token: value,
    token_type: 'Bearer',
    expires_in: token.expiration,
    scope: token.scope,
    ...(issued === undefined ? {} : { issued_token_type: issued }),
  }
}

function scopeOf(asked: string, allowed: string): string {
  const may = new Set(allowed.split(' '))
  return asked
    .split(' ')
    .filter((scope) => may.has(scope))
    .join(' ')
}

/** What an issuer's word lacks is told to the client; that the store cannot be asked is not its fault. */
async function taken<T>(asserted: Promise<T>): Promise<T> {
  try {
    return await asserted
  } catch (error) {
    if (error instanceof TurnwardError && error.code.startsWith('auth.')) throw new errors.InvalidGrant(error.message)
    throw error
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
