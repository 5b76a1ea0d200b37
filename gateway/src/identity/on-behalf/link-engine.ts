/** What is asked of an OAuth client for one MCP server: which authorization server that is, as which client, is its business. */
import type { McpServer } from '../../config/snapshot.ts'
import type { ServerAuthOf } from '../server-auth/auth-kind.ts'
import type { LinkTokens } from './link.ts'

/** A way to the authorization server that has begun. */
export interface BegunLink {
  /** Where the browser goes: an address that was checked. */
  readonly url: string
  /** Name of the authorization server, for people: its host. */
  readonly host: string
  /** What is needed when the browser comes back; holds secrets. */
  readonly pending: Readonly<Record<string, unknown>>
}

export interface LinkQuestion {
  readonly server: McpServer
  readonly auth: ServerAuthOf<'user'>
  /** Undefined: what the configuration says, or what the server wants. */
  readonly scopes: readonly string[] | undefined
  readonly state: string
  readonly redirectUri: string
  readonly signal: AbortSignal
}

export interface LinkEngine {
  /** Rejects with a `TurnwardError` whose words say why the server cannot be connected. */
  begin(question: LinkQuestion): Promise<BegunLink>
  /** `answer`: the query that the browser brought back. Rejects with a `LinkDeclined`, or as `begin` does. */
  finish(pending: Readonly<Record<string, unknown>>, answer: URLSearchParams, signal: AbortSignal): Promise<LinkTokens>
}

/** The person did not agree, or the authorization server did not let them. */
export class LinkDeclined extends Error {
  /** The code that it gave (RFC 6749, section 4.1.2.1). */
  readonly reason: string

  constructor(reason: string) {
    super(reason)
    this.name = 'LinkDeclined'
    this.reason = reason
  }
}
