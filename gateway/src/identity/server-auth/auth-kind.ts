/**
 * With what the hop to a server is made: the form that every kind of `servers.*.auth` has. Nothing here, and nothing behind
 * it, is ever given the headers a caller came with: what leaves is made here or stored here.
 */
import type { ServerConfig } from '@turnward/contract/config'
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import type { CancelSignal } from '../../core/cancellation.ts'
import type { Caller } from '../../core/principal.ts'

/** `servers.*.auth`, of whatever kind. */
export type ServerAuthConfig = NonNullable<ServerConfig['auth']>

export type AuthKindName = ServerAuthConfig['kind']

export type ServerAuthOf<K extends AuthKindName> = Extract<ServerAuthConfig, { readonly kind: K }>

/** What a server said when it refused a request (RFC 6750, section 3; RFC 9728, section 5.1). Its words, never shown to anybody. */
export interface Challenge {
  readonly status: 401 | 403
  /** `error` of a Bearer challenge: `invalid_token`, `insufficient_scope`. */
  readonly error: string | undefined
  /** Scopes, separated by spaces. */
  readonly scope: string | undefined
  /** Where the server says it describes itself. */
  readonly resourceMetadata: string | undefined
}

/** A request whose headers were refused. */
export interface Refusal {
  readonly challenge: Challenge
  /** What it went out with. */
  readonly headers: ServerHeaders
  /** How often the same request was refused before. */
  readonly before: number
}

/** What a request goes out with. */
export interface ServerHeaders {
  /** Names in lower case. Secrets: they go to this server and nowhere else. */
  readonly headers: Readonly<Record<string, string>>
  /** Of a server that is started for one person: variables of its child. Secrets as well. */
  readonly environment?: Readonly<Record<string, string>>
}

export interface CredentialQuery {
  /** The configuration the request began with. */
  readonly snapshot: Snapshot
  readonly server: McpServer
  /** Whom the request is for. Undefined: the gateway itself, which lists what there is. */
  readonly caller: Caller | undefined
  /** Set when the server has refused what it was sent before: only something else is worth sending. */
  readonly refusal?: Refusal | undefined
  readonly signal: CancelSignal
}

/** One kind of `servers.*.auth`. */
export interface AuthKind<Config> {
  /**
   * Whose connection the caller's requests run on: the same text, the same connection. Undefined: the one that all share.
   * A connection made with what is one person's is never used for another, so this holds everything that the headers depend on.
   */
  scope(config: Config, server: McpServer, caller: Caller | undefined): string | undefined
  /** Id of the credential in decisions, known before it is had: `none`, `server:<name>`, `link:<server>:<digest>`. Never a secret. */
  credentialId(config: Config, server: McpServer, caller: Caller | undefined): string
  /**
   * What to send. Rejects with a code of `mcp.*` or `auth.*` whose words tell the caller what to do. After a refusal:
   * undefined when there is nothing else to send; then the refusal is the server's answer.
   */
  headersFor(config: Config, query: CredentialQuery): Promise<ServerHeaders | undefined>
}

/** A kind for each of `servers.*.auth`. */
export type AuthKinds = { readonly [K in AuthKindName]: AuthKind<ServerAuthOf<K>> }

/** What a request goes out with that shows nothing. */
export const noHeaders: ServerHeaders = { headers: {} }
