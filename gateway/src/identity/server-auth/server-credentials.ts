/** The seam between connections to servers and what they are made with: asks the kind that the server is configured with. */
import type { McpServer } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import type { Caller } from '../../core/principal.ts'
import {
  noHeaders,
  type AuthKind,
  type AuthKindName,
  type AuthKinds,
  type CredentialQuery,
  type ServerAuthConfig,
  type ServerHeaders,
} from './auth-kind.ts'
import type { KnownChallenges } from './known-challenges.ts'

export interface ServerCredentials {
  /** The scope of a caller's connection to a server; undefined for the one that all share. */
  scopeOf(server: McpServer, caller: Caller | undefined): string | undefined
  /** Id of the credential a caller's requests to a server go out with; `none` where none is sent. */
  credentialOf(server: McpServer, caller: Caller | undefined): string
  /** See `AuthKind.headersFor`. What is configured as fixed headers is not among them. */
  headersFor(query: CredentialQuery): Promise<ServerHeaders | undefined>
}

/** Whether people have connections of their own to this server. */
export function isPersonal(server: McpServer): boolean {
  return personalKinds.has(authOf(server)?.kind ?? 'none')
}

/** Whether requests to this server have headers that are asked for each time. */
export function isAsked(server: McpServer): boolean {
  const kind = authOf(server)?.kind ?? 'none'
  return kind !== 'none' && kind !== 'header' && kind !== 'person_secret'
}

const personalKinds: ReadonlySet<AuthKindName> = new Set(['user', 'exchange', 'entra_obo', 'id_jag', 'person_header', 'person_secret'])

/** `servers.*.auth` */
export function authOf({ config }: McpServer): ServerAuthConfig | undefined {
  return config.auth
}

/** `challenges`: what servers said when they refused something. */
export function createServerCredentials(kinds: AuthKinds, challenges: KnownChallenges): ServerCredentials {
  // Each kind gets the configuration of its own name.
  const kindOf = (auth: ServerAuthConfig): AuthKind<ServerAuthConfig> => kinds[auth.kind] as AuthKind<ServerAuthConfig>
  return {
    scopeOf(server, caller) {
      const auth = authOf(server)
      return auth === undefined ? undefined : kindOf(auth).scope(auth, server, caller)
    },
    credentialOf(server, caller) {
      const auth = authOf(server)
      return auth === undefined ? fixedCredential(server) : kindOf(auth).credentialId(auth, server, caller)
    },
    async headersFor(query) {
      const { server, caller, refusal } = query
      const auth = authOf(server)
      if (refusal !== undefined) challenges.note(server, refusal)
      if (caller === undefined && auth !== undefined && 'listing_credential' in auth && auth.listing_credential !== undefined)
        return refusal === undefined ? listingHeaders(query, auth.listing_credential) : undefined
      if (auth === undefined) return query.refusal === undefined ? noHeaders : undefined
      return kindOf(auth).headersFor(auth, query)
    },
  }
}

/** What the tools of a server are listed with that answers people only. */
function listingHeaders({ snapshot, server }: CredentialQuery, credential: string): ServerHeaders {
  const secret = snapshot.credentials.get(credential)?.secret
  if (secret === undefined)
    throw new TurnwardError('mcp.no_credential', { subject: server.name, why: `there is no secret in \`credentials.${credential}\`` })
  return { headers: { authorization: `Bearer ${secret}` } }
}

/** What is written next to the address of a server is a credential of the server. */
function fixedCredential({ name, config }: McpServer): string {
  if (config.transport === 'stdio') return 'none'
  const isSent = Object.keys(config.headers).length > 0 || (config.transport === 'openapi' && Object.keys(config.query).length > 0)
  return isSent ? `server:${name}` : 'none'
}
