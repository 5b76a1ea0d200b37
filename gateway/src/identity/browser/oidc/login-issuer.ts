/** An issuer that people sign in with: what its part of the configuration says to whoever asks it. */
import type { NamedPerson } from '../../people/people.ts'

export interface LoginIssuer {
  /** Its name under `identity.issuers`. */
  readonly name: string
  /** What people are shown. */
  readonly title: string
  readonly address: string
  /** Whether it may be asked over http, on this machine. */
  readonly allowHttp: boolean
  readonly clockSkewSeconds: number
  readonly client: IssuerClient
  /** Who the claims of its ID token name. Throws where they name nobody. */
  readonly personOf: (claims: Readonly<Record<string, unknown>>) => NamedPerson
}

/** Our client there. */
export interface IssuerClient {
  readonly id: string
  readonly auth: 'basic' | 'post' | 'private_key_jwt' | 'none'
  readonly secret?: string | undefined
  /** PKCS #8, PEM. */
  readonly privateKey?: string | undefined
  /** Besides `openid`. */
  readonly scopes: readonly string[]
}
