/** Who a call is for. Made by identity, read by everything above it; nothing above knows which way it was authenticated. */
import type { SubjectToken } from './subject-token.ts'

export interface Principal {
  readonly id: string
  readonly kind: 'human' | 'workload'
  readonly groups: readonly string[]
  readonly emails: readonly string[]
  /** Upstream name -> credential id, the principal's own. */
  readonly credentials: ReadonlyMap<string, string>
  /** The issuer (a name under `identity.issuers`) that speaks for it; absent or null where none does. */
  readonly issuer?: string | null
}

/** What a key or a token is good for: model calls, the MCP endpoint, the administration. */
export type Scope = 'models' | 'mcp' | 'admin'

/**
 * What a key or a token may do at most: names or patterns; null for no restriction of a kind. An intersection with the grants of
 * its principal, so it can only take away. Plain data: it is stored with keys and written into tokens.
 */
export interface Within {
  readonly models: readonly string[] | null
  readonly gateways: readonly string[] | null
  readonly tools: readonly string[] | null
  /** Another restriction that holds as well, where two credentials were shown. */
  readonly and?: Within
}

/** The authenticated caller: the principal, the credential used, and who acts for the principal. */
export interface Caller {
  readonly principal: Principal
  /** Id of the virtual key or token. */
  readonly key: string
  readonly consumer: string | null
  /** Who acts for the principal: the nearest of `actors`. */
  readonly actor: string | null
  /** The whole chain of actors, the nearest first (RFC 8693, section 4.1). */
  readonly actors: readonly string[]
  /** The issuer whose word it is; null for a virtual key. */
  readonly issuer: string | null
  /** Null for all. */
  readonly scopes: readonly Scope[] | null
  /** Unix milliseconds, or null for no expiry. */
  readonly expires: number | null
  /** What the issuer says of the session, for conditions; bounded, and no tokens among it. */
  readonly claims: Readonly<Record<string, unknown>>
  /** Upstream name -> credential id, mapped on the key. */
  readonly credentials: ReadonlyMap<string, string>
  /** What the caller showed, for an exchange with the issuer that gave it out. */
  readonly subject?: SubjectToken
  readonly within?: Within
  /** Restores the caller for work that nobody waits for. At most a few hundred characters, and no secret. */
  readonly later: string
  /** The line of a batch that the call is made for, when nobody waits for it. */
  readonly batch?: { readonly id: string; readonly customId: string }
  /** The server that has asked for the model call while it worked, and the decision on what it worked on. */
  readonly askedBy?: { readonly server: string; readonly decision: string }
}
