/** What proves to an authorization server for whom a token is asked for, and which of it each way of asking takes. */

/** Names of RFC 8693, section 3, and of draft-ietf-oauth-identity-assertion-authz-grant. */
export const tokenTypes = {
  access_token: 'urn:ietf:params:oauth:token-type:access_token',
  id_token: 'urn:ietf:params:oauth:token-type:id_token',
  refresh_token: 'urn:ietf:params:oauth:token-type:refresh_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
  id_jag: 'urn:ietf:params:oauth:token-type:id-jag',
} as const

/** A token of the person, of the issuer that is asked. */
export interface Subject {
  readonly token: string
  readonly type: 'access_token' | 'id_token'
}

/**
 * What a token says of itself; undefined where it is no JWT. It was verified where it came in: this only tells kinds of tokens
 * apart, and nothing is allowed because of what it says.
 */
export function claimsOf(token: string): Readonly<Record<string, unknown>> | undefined {
  const payload = token.split('.')[1]
  if (payload === undefined) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null ? { ...claims } : undefined
  } catch {
    return undefined
  }
}

/** Whether a token says that it speaks for an application and not for a person. */
export function speaksForApplication(token: string): boolean {
  const claims = claimsOf(token)
  if (claims === undefined) return false
  // Entra says so; others give applications a token whose subject is the client itself.
  if (claims.idtyp === 'app') return true
  const { sub, preferred_username: name } = claims
  const client = claims.client_id ?? claims.azp ?? claims.appid ?? claims.cid
  if (typeof client !== 'string') return false
  return sub === client || sub === `${client}@clients` || name === `service-account-${client.toLowerCase()}`
}

/** Whether a token says that it is an ID token, which is for the client that signed somebody in and for nobody else. */
export function isIdToken(token: string): boolean {
  const claims = claimsOf(token)
  return (
    claims !== undefined &&
    claims.scope === undefined &&
    claims.scp === undefined &&
    (claims.nonce !== undefined || claims.at_hash !== undefined)
  )
}
