/** An issuer that people sign in with: one that has a client for us. */
import type { Issuer, IssuerClient } from '../../../core/issuer.ts'

export interface LoginIssuer extends Issuer {
  readonly client: IssuerClient
}

/** Those of a configuration, by name. */
export function loginIssuers(issuers: ReadonlyMap<string, Issuer>): ReadonlyMap<string, LoginIssuer> {
  return new Map([...issuers].flatMap(([name, issuer]) => (hasClient(issuer) ? [[name, issuer] as const] : [])))
}

function hasClient(issuer: Issuer): issuer is LoginIssuer {
  return issuer.client !== undefined
}
