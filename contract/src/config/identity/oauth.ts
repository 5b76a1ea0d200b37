/** Our own OAuth 2.1 authorization server: who signs people in, which clients there are, how long what it gives lasts. */
import { z } from 'zod'
import { publicAddressSchema } from '../addresses.ts'
import { nameSchema } from '../common.ts'

const loopbackHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** What a token may be for. */
export const oauthScopeSchema = z.enum(['models', 'mcp', 'admin'])

const grantTypeSchema = z.enum(['authorization_code', 'refresh_token', 'client_credentials', 'device_code', 'token_exchange', 'jwt_bearer'])

/** Compared character by character; of loopback addresses the port may differ (RFC 8252, section 7.3). */
const redirectUriSchema = z.string().max(2000).refine(isRedirectUri, {
  message: 'must be `https:`, `http:` on this machine, or a scheme of an application like `com.example.app:`, without a fragment',
})

function isRedirectUri(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || text.includes('#') || url.username !== '' || url.password !== '') return false
  if (url.protocol === 'https:') return true
  if (url.protocol === 'http:') return loopbackHosts.has(url.hostname)
  return !/^(?:javascript|data|vbscript|file|blob|about|mailto|ftp|wss?):$/.test(url.protocol)
}

const publicKeySchema = z.looseObject({ kty: z.enum(['RSA', 'EC', 'OKP']), kid: z.string().optional() }).refine((key) => !('d' in key), {
  message: 'must be the public key; the private one stays with the client',
})

const clientSchema = z
  .strictObject({
    /** What people are shown; the name of the entry when absent. */
    name: z.string().min(1).max(80).optional(),
    grants: z.array(grantTypeSchema).min(1).default(['authorization_code', 'refresh_token']),
    /** One grant, instead of `grants`. */
    grant: grantTypeSchema.optional(),
    /** How it proves itself. Absent: by its secret in the `authorization` header, by its keys, or not at all (a public client). */
    auth: z.enum(['none', 'basic', 'post', 'private_key_jwt']).optional(),
    /** Through `${ENV}` or `${file:path}`. */
    secret: z.string().min(20).optional(),
    jwks: z.strictObject({ keys: z.array(publicKeySchema).min(1).max(20) }).optional(),
    redirect_uris: z.array(redirectUriSchema).max(50).default([]),
    /** Who a token of `client_credentials` is for. */
    principal: nameSchema.optional(),
    scopes: z.array(oauthScopeSchema).min(1).default(['models', 'mcp']),
    /** Gives it only tokens that are bound to a key of its own (RFC 9449). */
    dpop: z.boolean().default(false),
  })
  .transform(({ grant, grants, auth, ...client }) => ({
    ...client,
    grants: grant === undefined ? grants : [grant],
    auth:
      auth ??
      (client.secret !== undefined ? ('basic' as const) : client.jwks !== undefined ? ('private_key_jwt' as const) : ('none' as const)),
  }))
  .superRefine(({ auth, secret, jwks, grants, redirect_uris: uris, principal }, context) => {
    const problem = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
    const needsSecret = auth === 'basic' || auth === 'post'
    if (needsSecret && secret === undefined) problem('secret', `\`auth: ${auth}\` needs a secret`)
    if (!needsSecret && secret !== undefined) problem('secret', `\`auth: ${auth}\` uses no secret`)
    if (auth === 'private_key_jwt' && jwks === undefined) problem('jwks', '`auth: private_key_jwt` needs the public keys of the client')
    if (grants.includes('authorization_code') && uris.length === 0)
      problem('redirect_uris', 'the grant `authorization_code` needs `redirect_uris`')
    if (grants.includes('client_credentials')) {
      if (principal === undefined) problem('principal', 'the grant `client_credentials` needs to know who calls')
      if (auth === 'none') problem('auth', 'the grant `client_credentials` needs a secret or keys')
    }
    const ofProof = grants.find((grant) => grant === 'token_exchange' || grant === 'jwt_bearer')
    if (ofProof !== undefined && auth === 'none') problem('auth', `the grant \`${ofProof}\` needs a secret or keys`)
  })

const daySeconds = 24 * 3600
const seconds = (least: number, most: number, usual: number) => z.number().int().min(least).max(most).default(usual)

export const oauthSchema = z.strictObject({
  /** Who we are in tokens and metadata: what `listen.public_url` says, and instead of it where that is absent. */
  issuer: publicAddressSchema.optional(),
  /** Who signs people in: an entry of `identity.issuers`, or `local` for accounts of ours. Absent: whatever the sign-in page offers. */
  login: nameSchema.optional(),
  registration: z
    .strictObject({
      /** Clients whose id is the address of a document about them. */
      cimd: z.boolean().default(true),
      /** Hosts with addresses that are not public and whose documents are fetched all the same. */
      cimd_private_hosts: z.array(z.string().min(1).max(253)).max(50).default([]),
      /** Anybody may register a client (RFC 7591). */
      dcr: z.boolean().default(false),
    })
    .prefault({}),
  clients: z.record(nameSchema, clientSchema).default({}),
  lifetimes: z
    .strictObject({
      access_token_seconds: seconds(60, daySeconds, 600),
      refresh_token_seconds: seconds(600, 365 * daySeconds, 30 * daySeconds),
      code_seconds: seconds(10, 600, 60),
      device_code_seconds: seconds(60, 1800, 600),
      /** For how long a person has to sign in and answer. */
      interaction_seconds: seconds(60, 3600, 900),
      /** How long an answer to the consent page is remembered. */
      consent_seconds: seconds(600, 365 * daySeconds, 90 * daySeconds),
    })
    .prefault({}),
  keys: z
    .strictObject({
      algorithm: z.enum(['ES256', 'RS256']).default('ES256'),
      /** A new signing key is made when the last one is this old. */
      rotate_days: z.number().int().min(1).max(3650).default(90),
    })
    .prefault({}),
})

export type OAuthConfig = z.output<typeof oauthSchema>
