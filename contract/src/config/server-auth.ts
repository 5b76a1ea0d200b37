/**
 * What the gateway shows an MCP server or an API so that it answers: nothing, something that all callers share, or something
 * that is the person's own. What a caller showed the gateway is none of these, and is never passed on.
 */
import { z } from 'zod'
import { baseAddressSchema, endpointAddressSchema } from './addresses.ts'
import { nameSchema } from './common.ts'

/** Scope tokens (RFC 6749, section 3.3). Absent: what the server asks for, else what it says it knows, else none. */
const scopesSchema = z
  .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/, 'must be one scope, without white space or quotes'))
  .max(64)
  .optional()

/** A header as HTTP writes it. */
const headerNameSchema = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, 'must be the name of a header')

/** What stands in a header around a secret: `Bearer {secret}`. */
const formatSchema = z
  .string()
  .max(256)
  .regex(/^[\x20-\x7e]*\{secret\}[\x20-\x7e]*$/, 'must hold `{secret}` where the secret goes')
  .default('Bearer {secret}')

const clientFields = {
  id: z.string().min(1).max(2048),
  /** Write `${ENV}` or `${file:path}`, never the value. */
  secret: z.string().min(1).optional(),
  /** A private key, PEM (PKCS #8) or JWK: `${file:client-key.pem}`. Assertions are signed with it (RFC 7523). */
  private_key: z.string().min(1).optional(),
  /** `kid` of the key, where the authorization server wants to be told. */
  key_id: z.string().min(1).max(256).optional(),
  /** Of a key of RSA, `RS256` unless this says otherwise. Of any other key there is only one. */
  algorithm: z.enum(['RS256', 'PS256']).optional(),
  /** How the client proves who it is. Default: `private_key_jwt` with a key, `basic` with a secret, else `none`. */
  auth: z.enum(['basic', 'post', 'private_key_jwt', 'none']).optional(),
}

interface ClientParts {
  readonly secret?: string | undefined
  readonly private_key?: string | undefined
  readonly key_id?: string | undefined
  readonly algorithm?: string | undefined
  readonly auth?: string | undefined
}

function clientProblem({ secret, private_key: key, key_id: keyId, algorithm, auth }: ClientParts): string | undefined {
  if (secret !== undefined && key !== undefined) return 'has a `secret` and a `private_key`; one of them proves who it is'
  if ((auth === 'basic' || auth === 'post') && secret === undefined) return `\`auth: ${auth}\` needs a \`secret\``
  if (auth === 'private_key_jwt' && key === undefined) return '`auth: private_key_jwt` needs a `private_key`'
  if (auth === 'none' && (secret ?? key) !== undefined) return '`auth: none` would send neither `secret` nor `private_key`'
  if (auth !== undefined && auth !== 'private_key_jwt' && key !== undefined) return `\`auth: ${auth}\` has no use for a \`private_key\``
  if (key === undefined && (keyId ?? algorithm) !== undefined) return '`key_id` and `algorithm` are of a `private_key`'
  return undefined
}

function checkClient(client: ClientParts, context: z.RefinementCtx): void {
  const message = clientProblem(client)
  if (message !== undefined) context.addIssue({ code: 'custom', message })
}

/** The gateway as a client of an authorization server. */
export const oauthClientSchema = z.strictObject(clientFields).superRefine(checkClient)

/** The same, at the authorization server with exactly this issuer. */
const clientOfIssuerSchema = z.strictObject({ issuer: baseAddressSchema, ...clientFields }).superRefine(checkClient)

/** Where tokens may be asked for. Addresses that a server names are those of others: https, and public. */
const dialling = {
  /** Whether authorization servers may be asked over http, where their address is one of this machine. */
  allow_http: z.boolean().default(false),
  /** Whether names of authorization servers may lead to private addresses. */
  allow_private: z.boolean().default(false),
}

/** RFC 8707: what a token is for. Default: what the server says it is, else its address. `false`: not said. */
const resourceSchema = z.union([endpointAddressSchema, z.literal(false)]).optional()

/** Of kinds that are the person's own. */
const personal = {
  /** `shared`: everybody is shown the same tools of this server. `person`: each what the server lists for him. */
  listing: z
    .enum(['shared', 'person'])
    .superRefine((listing, context) => {
      if (listing === 'person')
        context.addIssue({
          code: 'custom',
          message: '`listing: person` is not available yet in this release',
          params: { code: 'config.not_available' },
        })
    })
    .default('shared'),
  /** What the tools are listed with: an id of `credentials`, sent as a bearer token. Default: nothing, where the server allows it. */
  listing_credential: nameSchema.optional(),
}

/** The person in `identity.issuers` whose word is taken to the authorization server. */
const issuerNameSchema = nameSchema

const kinds = z.discriminatedUnion('kind', [
  /** Nothing. */
  z.strictObject({ kind: z.literal('none') }),
  /** Fixed headers, or one header with a secret of `credentials`. */
  z
    .strictObject({
      kind: z.literal('header'),
      headers: z.record(headerNameSchema, z.string()).optional(),
      credential: nameSchema.optional(),
      header: headerNameSchema.default('authorization'),
      format: formatSchema,
    })
    .refine(({ headers, credential }) => (headers === undefined) !== (credential === undefined), {
      message: 'needs either `headers` or `credential`',
    }),
  /** A token of the gateway itself (RFC 6749, section 4.4), the same for all callers. */
  z
    .strictObject({
      kind: z.literal('client_credentials'),
      client: oauthClientSchema,
      /** The authorization server. Default: the one that the server names (RFC 9728). */
      issuer: baseAddressSchema.optional(),
      /** Where tokens are asked for, of an authorization server that says nothing of itself. */
      token_endpoint: endpointAddressSchema.optional(),
      scopes: scopesSchema,
      /** Sent as `audience`, to authorization servers that know no `resource`. */
      audience: z.string().min(1).max(2048).optional(),
      resource: resourceSchema,
      ...dialling,
    })
    .superRefine(({ client, issuer, token_endpoint: endpoint }, context) => {
      if (client.secret === undefined && client.private_key === undefined)
        context.addIssue({ code: 'custom', path: ['client'], message: 'needs a `secret` or a `private_key`' })
      if (issuer !== undefined && endpoint !== undefined)
        context.addIssue({ code: 'custom', path: ['token_endpoint'], message: 'with `issuer` it is found; write one of them' })
    }),
  /** A token that each person gets by consenting at the authorization server. */
  z.strictObject({
    kind: z.literal('user'),
    scopes: scopesSchema,
    /** Clients registered beforehand, by the issuer that knows them. */
    clients: z.array(clientOfIssuerSchema).max(16).default([]),
    /** How the gateway makes itself known elsewhere, the first that the authorization server can do. */
    registration: z
      .array(z.enum(['cimd', 'dcr']))
      .max(2)
      .default(['cimd', 'dcr']),
    /** Address of the document about this client. Default: the one the gateway serves, where it is reached by https. */
    client_metadata_url: endpointAddressSchema.optional(),
    /** Authorization servers that may be used, by their issuer. Default: the one that the server names. */
    issuers: z.array(baseAddressSchema).max(16).default([]),
    ...personal,
    ...dialling,
  }),
  /** A token that an issuer gives for what the caller showed (RFC 8693), for this server alone. */
  z.strictObject({
    kind: z.literal('exchange'),
    issuer: issuerNameSchema,
    audience: z.string().min(1).max(2048).optional(),
    resource: resourceSchema,
    scopes: scopesSchema,
    /** What is asked for. */
    token_type: z.enum(['access_token', 'jwt', 'id_token']).default('access_token'),
    ...personal,
  }),
  /** The same at Microsoft Entra ID (on-behalf-of). */
  z.strictObject({
    kind: z.literal('entra_obo'),
    issuer: issuerNameSchema,
    scopes: z.array(z.string().min(1).max(512)).min(1).max(64),
    ...personal,
  }),
  /** An identity assertion of the issuer, exchanged at the server's own authorization server (ID-JAG). */
  z.strictObject({
    kind: z.literal('id_jag'),
    issuer: issuerNameSchema,
    /** The gateway at the authorization server of this server. */
    client: oauthClientSchema,
    /** The authorization server. Default: the one that the server names (RFC 9728). */
    authorization_server: baseAddressSchema.optional(),
    resource: resourceSchema,
    scopes: scopesSchema,
    ...personal,
    ...dialling,
  }),
  /** A secret that each person gave the gateway to keep. */
  z.strictObject({
    kind: z.literal('person_header'),
    header: headerNameSchema.default('authorization'),
    format: formatSchema,
    /** Where people find the secret, in words for them. */
    help: z.string().max(1000).optional(),
    ...personal,
  }),
])

/** `servers.*.auth` of servers that are asked over HTTP. */
export const serverAuthSchema = kinds.optional()

/** `servers.*.auth` of servers that the gateway starts: a secret that each person gave the gateway to keep, for their own child. */
export const startedServerAuthSchema = z
  .strictObject({
    kind: z.literal('person_secret'),
    /** The variable in which the child of the person finds it. */
    env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'must be the name of a variable'),
    /** Where people find the secret, in words for them. */
    help: z.string().max(1000).optional(),
  })
  .optional()
