/** What an authorization server says of itself (RFC 8414, OpenID Connect Discovery), and whether it is what was asked for. */
import { z } from 'zod'
import { ask, NotReached, type Reach, type Resolve } from './reaching.ts'

const address = z.string().min(1).max(4096)
const names = z.array(z.string().max(256)).max(256)

const documentSchema = z.object({
  issuer: z.string(),
  authorization_endpoint: address.optional(),
  token_endpoint: address,
  registration_endpoint: address.optional(),
  revocation_endpoint: address.optional(),
  code_challenge_methods_supported: names.optional(),
  token_endpoint_auth_methods_supported: names.optional(),
  grant_types_supported: names.optional(),
  scopes_supported: z.array(z.string().max(256)).max(4096).optional(),
  client_id_metadata_document_supported: z.boolean().optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
})

/** Fields are called as in its document. */
export type IssuerMetadata = z.output<typeof documentSchema>

/** Where the metadata of an issuer is looked for (MCP authorization, "Authorization Server Metadata Discovery"). */
export function issuerAddresses(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  const inserted = [`${origin}/.well-known/oauth-authorization-server${path}`, `${origin}/.well-known/openid-configuration${path}`]
  return path === '' ? inserted : [...inserted, `${origin}${path}/.well-known/openid-configuration`]
}

/**
 * The metadata of an issuer; undefined where it says nothing. Its `issuer` has to be the one that was asked for, character by
 * character: otherwise somebody answers for somebody else. Rejects with a `NotReached`.
 */
export async function findIssuerMetadata(
  issuer: string,
  reach: Reach,
  signal: AbortSignal,
  resolve?: Resolve,
): Promise<IssuerMetadata | undefined> {
  if (URL.parse(issuer) === null) throw new NotReached('the server names an authorization server that is no address')
  for (const each of issuerAddresses(issuer)) {
    const response = await ask(each, { signal }, reach, resolve)
    if (response.status >= 400 && response.status < 500) continue
    if (response.status !== 200) throw new NotReached(`the authorization server does not say what it is (HTTP ${response.status})`)
    const read = documentSchema.safeParse(await response.json().catch(() => undefined))
    if (!read.success) throw new NotReached('what the authorization server says of itself is not what RFC 8414 wants')
    if (read.data.issuer !== issuer) throw new NotReached('the authorization server says that it is another one (`issuer`)')
    return read.data
  }
  return undefined
}
