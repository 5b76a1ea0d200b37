/** Somebody whose word about callers counts: what its tokens must be, and whom their claims name. Compiled from the configuration. */
import type { JsonObject } from './json.ts'

/** What an expression over the claims of a token gives. Throws where it gives nothing. */
export type ClaimExpression = (claims: JsonObject) => unknown

export interface Issuer {
  /** Its name under `identity.issuers`. */
  readonly name: string
  /** Exactly as tokens have it in `iss`. */
  readonly issuer: string
  readonly preset: string | undefined
  /** Where its metadata is, where that is not below the issuer. */
  readonly discovery: string | undefined
  /** Where its keys are, where no metadata says so. */
  readonly jwksUri: string | undefined
  readonly allowHttp: boolean
  readonly audiences: readonly string[]
  readonly algorithms: readonly string[]
  /** Lower case, without `application/`; `none` for a token without. */
  readonly types: readonly string[]
  readonly tokens: 'access' | 'id'
  readonly clockSkewMs: number
  readonly maxLifetimeMs: number
  readonly jwksStaleMs: number
  readonly user: string
  readonly subject: string
  readonly emails: readonly string[]
  readonly groups: readonly string[]
  readonly groupNames: ReadonlyMap<string, string>
  readonly actor: string
  readonly consumers: readonly string[]
  readonly claims: readonly string[]
  readonly mapping: Readonly<Partial<Record<MappedPart, ClaimExpression>>>
  readonly provision: 'known' | 'auto'
  readonly workloads: boolean
  readonly client: IssuerClient | undefined
}

export type MappedPart = 'user' | 'email' | 'groups' | 'actors' | 'consumer'

/** Our client at an issuer. */
export interface IssuerClient {
  readonly id: string
  readonly auth: 'basic' | 'post' | 'private_key_jwt' | 'none'
  readonly secret: string | undefined
  /** PKCS #8 in PEM. */
  readonly privateKey: string | undefined
  /** Besides `openid`. */
  readonly scopes: readonly string[]
}
