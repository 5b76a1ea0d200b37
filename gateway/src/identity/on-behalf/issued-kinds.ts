/**
 * Kinds of `servers.*.auth` for which an issuer gives a token for what the person has: exchange, Entra's on-behalf-of, and an
 * identity assertion. A table of what each asks with; the life of a token is the same.
 */
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import type { Caller } from '../../core/principal.ts'
import {
  noHeaders,
  type AuthKind,
  type AuthKinds,
  type CredentialQuery,
  type ServerAuthOf,
  type ServerHeaders,
} from '../server-auth/auth-kind.ts'
import { scopesOf } from '../server-auth/challenge.ts'
import { onBehalfOfToken } from './entra-obo.ts'
import { AssertionRefused, assertedToken } from './id-jag.ts'
import { addressOf, linkId } from './link.ts'
import { personNeeded } from './link-needed.ts'
import { proofOf, type KeptToken, type PersonTokens } from './person-tokens.ts'
import { subjectOf, type SignedInTokens, type SubjectWish } from './subject-source.ts'
import type { Subject } from './subject.ts'
import type { TokenEndpoint } from './token-endpoint.ts'
import { exchangeToken, type Asking } from './token-exchange.ts'
import { TokenRefused, type IssuedToken } from './token-request.ts'

/** The authorization server of an MCP server, for the client that the gateway is there. */
export interface ServerAuthorization {
  readonly endpoint: TokenEndpoint
  /** What the server says it is (RFC 8707); undefined where nothing is to be said. */
  readonly resource: string | undefined
}

export interface IssuedKindsParts {
  readonly tokens: PersonTokens
  readonly signedIn: SignedInTokens
  /** A configured issuer, for the client that the gateway is there. Rejects with `mcp.no_credential`. */
  readonly issuerAt: (snapshot: Snapshot, issuer: string, server: string) => Promise<TokenEndpoint>
  /** Rejects with `mcp.no_credential`. */
  readonly authorizationOf: (server: McpServer, auth: ServerAuthOf<'id_jag'>, signal: AbortSignal) => Promise<ServerAuthorization>
  /** Unix milliseconds. */
  readonly now: () => number
  /** That of the store. */
  readonly secret: Uint8Array
}

type IssuedAuth = ServerAuthOf<'exchange' | 'entra_obo' | 'id_jag'>

/** What is asked for, for one caller. */
interface Order {
  readonly snapshot: Snapshot
  readonly server: McpServer
  readonly scopes: readonly string[]
  readonly subject: Subject
  readonly asking: Asking
}

/** How one kind asks. */
interface Form<Auth extends IssuedAuth> {
  readonly subject: (auth: Auth) => SubjectWish
  readonly audience: (auth: Auth) => string | undefined
  readonly resource: (auth: Auth, server: McpServer) => string | undefined
  readonly issue: (parts: IssuedKindsParts, auth: Auth, order: Order) => Promise<IssuedToken>
}

const exchange: Form<ServerAuthOf<'exchange'>> = {
  subject: ({ issuer }) => ({ issuer, type: 'access_token', allowsApplications: true }),
  audience: ({ audience }) => audience,
  // Whoever names an audience means that, and not two things.
  resource: ({ audience, resource }, server) =>
    resource === false ? undefined : (resource ?? (audience === undefined ? addressOf(server) : undefined)),
  issue: async (parts, auth, { snapshot, server, scopes, subject, asking }) =>
    exchangeToken(
      await parts.issuerAt(snapshot, auth.issuer, server.name),
      { audience: auth.audience, resource: exchange.resource(auth, server), scopes, requested: auth.token_type },
      subject,
      asking,
    ),
}

const onBehalfOf: Form<ServerAuthOf<'entra_obo'>> = {
  subject: ({ issuer }) => ({ issuer, type: 'access_token', allowsApplications: false }),
  audience: () => undefined,
  resource: () => undefined,
  issue: async (parts, auth, { snapshot, server, scopes, subject, asking }) =>
    onBehalfOfToken(await parts.issuerAt(snapshot, auth.issuer, server.name), scopes, subject.token, asking),
}

const assertion: Form<ServerAuthOf<'id_jag'>> = {
  subject: ({ issuer }) => ({ issuer, type: 'id_token', allowsApplications: false }),
  audience: ({ authorization_server: server }) => server,
  resource: ({ resource }) => (resource === false ? undefined : resource),
  async issue(parts, auth, { snapshot, server, scopes, subject, asking }) {
    const issuer = await parts.issuerAt(snapshot, auth.issuer, server.name)
    const there = await parts.authorizationOf(server, auth, asking.signal)
    const wish = { audience: there.endpoint.server.issuer, resource: there.resource, scopes }
    return assertedToken({ issuer, server: there.endpoint }, wish, subject, asking)
  },
}

/** The three kinds. */
export function issuedKinds(parts: IssuedKindsParts): Pick<AuthKinds, 'exchange' | 'entra_obo' | 'id_jag'> {
  return {
    exchange: issuedKind(parts, exchange),
    entra_obo: issuedKind(parts, onBehalfOf),
    id_jag: issuedKind(parts, assertion),
  }
}

/** Both tokens of an assertion are asked for in this time. */
const longestMs = 30_000

function issuedKind<Auth extends IssuedAuth>(parts: IssuedKindsParts, form: Form<Auth>): AuthKind<Auth> {
  /** Scopes that servers have asked for, where their configuration leaves that to them. */
  const asked = new BoundedMap<string, readonly string[]>({ most: 1000 })
  /** What requests went out with, so that exactly that is dropped when it is refused. */
  const sent = new WeakMap<ServerHeaders, KeptToken>()

  async function tokenFor(auth: Auth, { snapshot, server }: CredentialQuery, caller: Caller): Promise<ServerHeaders> {
    const wish = form.subject(auth)
    const signal = AbortSignal.timeout(longestMs)
    const scopes = auth.scopes ?? asked.get(server.digest) ?? []
    try {
      const subject = await subjectOf(parts.signedIn, wish, server, caller, signal)
      const purpose = {
        person: caller.principal.id,
        issuer: caller.issuer,
        actors: caller.actors,
        server: `${server.name} ${server.digest}`,
        kind: auth.kind,
        audience: form.audience(auth),
        resource: form.resource(auth, server),
        scopes,
        proof: proofOf(subject.token),
      }
      const order: Order = { snapshot, server, scopes, subject, asking: { now: parts.now(), signal } }
      const kept = await parts.tokens.token(purpose, () => form.issue(parts, auth, order))
      const made: ServerHeaders = { headers: { authorization: `Bearer ${kept.token}` } }
      sent.set(made, kept)
      return made
    } catch (error) {
      throw error instanceof TokenRefused ? refusalOf(server, wish.issuer, error) : asTurnwardError(error)
    }
  }

  return {
    scope: (_auth, _server, caller) =>
      caller === undefined ? undefined : JSON.stringify([caller.principal.id, caller.issuer, caller.consumer, ...caller.actors]),
    credentialId: ({ kind }, { name }, caller) =>
      caller === undefined ? 'none' : linkId(parts.secret, name, caller.principal.id).replace('link:', `${kind}:`),
    async headersFor(auth, query) {
      const { caller, server, refusal } = query
      if (caller === undefined) return refusal === undefined ? noHeaders : undefined
      if (refusal === undefined) return tokenFor(auth, query, caller)
      if (refusal.before > 0) return undefined
      const wanted = scopesOf(refusal.challenge.scope)
      const known = asked.get(server.digest) ?? []
      const isMore = auth.scopes === undefined && wanted.some((scope) => !known.includes(scope))
      if (isMore) asked.set(server.digest, [...new Set([...known, ...wanted])].slice(0, 64))
      else if (refusal.challenge.status === 403) return undefined
      const before = sent.get(refusal.headers)
      if (before !== undefined) parts.tokens.drop(before)
      return tokenFor(auth, query, caller)
    },
  }
}

/** The person has to come back to the issuer (OpenID Connect Core, section 3.1.2.6; Entra). */
const personMustActs: ReadonlySet<string> = new Set(['invalid_grant', 'interaction_required', 'login_required', 'consent_required'])
const configuredWrong: ReadonlySet<string> = new Set(['invalid_client', 'unauthorized_client', 'unsupported_grant_type'])

function refusalOf(server: McpServer, issuer: string, refused: TokenRefused): TurnwardError {
  const { reason, message, hasClaims } = refused
  const noCredential = (why: string, fix: string): TurnwardError =>
    new TurnwardError('mcp.no_credential', { subject: server.name, why, fix })
  const settings = `servers.${server.name}.auth`
  // What another authorization server says of an assertion is nothing that signing in again would change.
  const who = refused instanceof AssertionRefused ? `\`${refused.host}\`` : `\`${issuer}\``
  if (reason === 'unreachable') return noCredential(`${who} could not be asked for a token`, 'Try again in a moment.')
  if (refused instanceof AssertionRefused)
    return noCredential(
      `${who} gives no token for what \`${issuer}\` vouches for (\`${message}\`)`,
      configuredWrong.has(reason)
        ? `Check \`${settings}.client\`, and what this client may do there.`
        : `Let whoever runs ${who} see whether it believes \`${issuer}\`, knows this person, and gives this client what \`${settings}\` asks for.`,
    )
  if (personMustActs.has(reason) || hasClaims) {
    const why = hasClaims
      ? `${who} wants more of the person than this token shows (\`${message}\`), such as a second factor`
      : `${who} gives no token for what this person has shown (\`${message}\`)`
    return personNeeded(server, why, `Sign in with ${who} again, do what it asks there, and call with the new token.`)
  }
  return noCredential(
    `${who} says \`${message}\``,
    configuredWrong.has(reason)
      ? `Check \`identity.issuers.${issuer}.client\`, and what this client may do there.`
      : `Check \`${settings}\`: audience, resource and scopes, and whether ${who} gives tokens for them.`,
  )
}
