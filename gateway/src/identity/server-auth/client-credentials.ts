/** `auth: { kind: client_credentials }`: a token of the gateway itself (RFC 6749, section 4.4), the same for everybody who calls. */
import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'
import { digestJson } from '../../core/hash.ts'
import type { McpServer } from '../../config/snapshot.ts'
import { clientAuthentication } from '../on-behalf/client-authentication.ts'
import { addressOf } from '../on-behalf/link.ts'
import type { TokenEndpoint } from '../on-behalf/token-endpoint.ts'
import { noHeaders, type AuthKind, type Challenge, type CredentialQuery, type ServerAuthOf, type ServerHeaders } from './auth-kind.ts'
import { noCredential, reachOf } from './authorization-code.ts'
import { scopesOf } from './challenge.ts'
import { reachingFetch, NotReached, type Resolve } from './reaching.ts'
import { MachineTokens } from './machine-tokens.ts'
import { chooseScopes, unionOf } from './scope-choice.ts'
import { discoverIssuer, discoverServer, canonicalAddress, trusting } from './server-discovery.ts'
import { askForTokens, type Issued } from './token-answer.ts'

type MachineAuth = ServerAuthOf<'client_credentials'>

export interface ClientCredentialsParts {
  readonly challengeOf: (server: McpServer) => Challenge | undefined
  readonly clock: Pick<Clock, 'now'>
  readonly resolve?: Resolve | undefined
}

/** Where tokens are asked for, and with what. */
interface Place {
  readonly endpoint: TokenEndpoint
  readonly resource: string | undefined
  readonly scopes: readonly string[]
}

/** `kind: client_credentials` */
export function clientCredentials(parts: ClientCredentialsParts): AuthKind<MachineAuth> {
  const tokens = new MachineTokens(parts.clock)
  /** By server: scopes that it has asked for since, which the configuration does not name. */
  const stepped = new BoundedMap<string, readonly string[]>({ most: 1000 })

  async function obtain(auth: MachineAuth, server: McpServer, more: readonly string[], signal: AbortSignal): Promise<Issued | undefined> {
    const place = await placeOf(parts, auth, server, signal)
    if (place === undefined) return undefined
    const scope = unionOf(place.scopes, more).join(' ')
    const parameters = new URLSearchParams({
      ...(scope === '' ? {} : { scope }),
      ...(auth.audience === undefined ? {} : { audience: auth.audience }),
      ...(place.resource === undefined ? {} : { resource: place.resource }),
    })
    return askForTokens(place.endpoint, 'client_credentials', parameters, { now: parts.clock.now(), signal })
  }

  async function headers(auth: MachineAuth, { server, signal }: CredentialQuery, refused?: string): Promise<ServerHeaders> {
    const more = stepped.get(server.digest) ?? []
    const key = `${server.digest} ${digestJson(more)}`
    try {
      const { access } = await tokens.get(
        key,
        async (own) => {
          const issued = await obtain(auth, server, more, own)
          if (issued === undefined) throw new Unknown()
          return issued
        },
        signal,
        refused,
      )
      return { headers: { authorization: `Bearer ${access}` } }
    } catch (error) {
      if (signal.aborted) throw signal.reason
      // Nobody has said yet who issues tokens: the server does when it is asked without one.
      if (error instanceof Unknown && refused === undefined) return noHeaders
      throw noCredential(server.name, error)
    }
  }

  return {
    scope: () => undefined,
    credentialId: (_auth, { name }) => `server:${name}`,
    async headersFor(auth, query) {
      const { server, refusal } = query
      if (refusal === undefined) return headers(auth, query)
      const { challenge, before } = refusal
      const sent = refusal.headers.headers.authorization?.slice('Bearer '.length)
      if (challenge.status === 403) {
        const known = stepped.get(server.digest) ?? []
        const next = unionOf(known, scopesOf(challenge.scope))
        if (challenge.error !== 'insufficient_scope' || next.length === known.length) return undefined
        stepped.set(server.digest, next)
        return headers(auth, query)
      }
      // A token that was had for this very request is as good as any that follows.
      if (before > 0 && sent !== undefined) return undefined
      return headers(auth, query, sent ?? '')
    },
  }
}

/** Neither the configuration nor the server says who issues tokens for it. */
class Unknown extends NotReached {
  constructor() {
    super('the server does not say who issues tokens for it; set `issuer` or `token_endpoint`')
  }
}

/** Undefined where neither the configuration nor the server says who issues tokens. Rejects with a `NotReached`. */
async function placeOf(
  { challengeOf, resolve }: ClientCredentialsParts,
  auth: MachineAuth,
  server: McpServer,
  signal: AbortSignal,
): Promise<Place | undefined> {
  const url = addressOf(server)
  const challenge = challengeOf(server)
  const reach = reachOf(auth)
  const at = (issuer: string, tokenEndpoint: string, reached: typeof reach): TokenEndpoint => ({
    server: { issuer, token_endpoint: tokenEndpoint },
    client: { client_id: auth.client.id },
    authentication: clientAuthentication(auth.client),
    allowHttp: auth.allow_http,
    fetch: reachingFetch(reached, resolve),
  })
  const place = (endpoint: TokenEndpoint, resource: string, supported: readonly string[] | undefined): Place => ({
    endpoint,
    resource: auth.resource === false ? undefined : (auth.resource ?? resource),
    scopes: chooseScopes({ configured: auth.scopes, challenged: scopesOf(challenge?.scope), supported }),
  })
  if (auth.token_endpoint !== undefined)
    return place(
      at(new URL(auth.token_endpoint).origin, auth.token_endpoint, trusting(reach, [auth.token_endpoint])),
      canonicalAddress(url),
      undefined,
    )
  if (auth.issuer !== undefined) {
    const { issuer, token_endpoint: endpoint } = await discoverIssuer(auth.issuer, reach, signal, resolve)
    return place(at(issuer, endpoint, trusting(reach, [auth.issuer])), canonicalAddress(url), undefined)
  }
  const found = await discoverServer({ url, challenge, allowed: [], preferred: [], reach, signal, resolve })
  if (found === undefined) return undefined
  const { issuer, token_endpoint: endpoint } = found.issuer
  return place(at(issuer, endpoint, trusting(reach, issuer === new URL(url).origin ? [issuer] : [])), found.resource, found.scopes)
}
