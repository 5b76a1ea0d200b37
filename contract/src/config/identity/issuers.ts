/** Issuers whose tokens are taken: who they are, what their tokens must be, and whom the claims name. */
import { z } from 'zod'
import { baseAddressSchema, endpointAddressSchema } from '../addresses.ts'
import { nameSchema } from '../common.ts'
import { issuerPresetSchema, issuerPresets } from './issuer-presets.ts'

/** Signatures that can be checked with a public key. `none` and the ones with a shared secret (`HS…`) are not among them. */
export const signatureAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

/** Name of a claim, or a path to one below it: `realm_access.roles`. A claim whose own name has dots in it is found first. */
const claimPathSchema = z.string().min(1).max(256)
/** One or several, of which each adds to the others. */
const claimPathsSchema = z.union([claimPathSchema, z.array(claimPathSchema).max(8)])
/** An expression of CEL over `claims` that gives a value. */
const expressionSchema = z.string().min(1).max(2000)

/** Our client at the issuer: for sign-in with a browser, and for exchanging tokens. */
const issuerClientSchema = z
  .strictObject({
    id: z.string().min(1).max(512),
    secret: z.string().min(1).optional(),
    /** PKCS #8 in PEM, through `${ENV}` or `${file:path}`. */
    private_key: z.string().min(1).optional(),
    auth: z.enum(['basic', 'post', 'private_key_jwt', 'none']).default('basic'),
    /** Besides `openid`. */
    scopes: z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'is no scope')).default([]),
  })
  .superRefine(({ auth, secret, private_key: key }, context) => {
    if ((auth === 'basic' || auth === 'post') !== (secret !== undefined))
      context.addIssue({
        code: 'custom',
        path: ['secret'],
        message: secret === undefined ? `is needed for \`auth: ${auth}\`` : `is not used with \`auth: ${auth}\``,
      })
    if ((auth === 'private_key_jwt') !== (key !== undefined))
      context.addIssue({
        code: 'custom',
        path: ['private_key'],
        message: key === undefined ? 'is needed for `auth: private_key_jwt`' : `is not used with \`auth: ${auth}\``,
      })
  })

/** One issuer. What is not written is as its preset says, else as `usualTokens` says. */
const issuerSchema = z
  .strictObject({
    /** What is known of the tokens of this product. */
    preset: issuerPresetSchema.optional(),
    /** Exactly as tokens have it in `iss`. */
    issuer: baseAddressSchema,
    /** Where its metadata is, where that is not below the issuer. */
    discovery: endpointAddressSchema.optional(),
    /** Where its keys are, for an issuer without metadata. */
    jwks_uri: endpointAddressSchema.optional(),
    /** http, for an issuer on this machine. */
    allow_http: z.boolean().default(false),
    /** One of them must be in `aud`, exactly. */
    audiences: z.array(z.string().min(1).max(512)).min(1),
    algorithms: z.array(z.enum(signatureAlgorithms)).min(1).optional(),
    /** What `typ` of a token may be; `none` for a token without. */
    typ: z
      .array(z.string().regex(/^[A-Za-z0-9+./-]{1,64}$/, 'is no type of tokens'))
      .min(1)
      .optional(),
    /** What people send: access tokens, or ID tokens of an issuer whose access tokens are no JWTs. */
    tokens: z.enum(['access', 'id']).optional(),
    clock_skew_seconds: z.number().int().min(0).max(60).default(30),
    /** A token that is good for longer is refused. */
    max_lifetime_seconds: z
      .number()
      .int()
      .min(60)
      .max(7 * 24 * 3600)
      .default(24 * 3600),
    /** How long keys are used while the issuer cannot be asked for them. */
    jwks_stale_ms: z
      .number()
      .int()
      .min(0)
      .max(7 * 24 * 3600 * 1000)
      .default(12 * 3600 * 1000),
    /** The claim a person is known by here. */
    user: claimPathSchema.optional(),
    /** The claim that never changes for a person. */
    subject: claimPathSchema.optional(),
    email: claimPathsSchema.optional(),
    groups: claimPathsSchema.optional(),
    /** Name in a token -> name here, for issuers that name groups by ids. */
    group_names: z.record(z.string().min(1).max(256), nameSchema).default({}),
    /** Who acts for the person; a chain where the claim has one inside (`act.sub`). */
    actor: claimPathSchema.optional(),
    /** The application: the first of these claims that a token has. */
    consumer: claimPathsSchema.optional(),
    /** Claims that conditions may read as `principal.claims`. */
    claims: z.array(claimPathSchema).max(32).optional(),
    /** Instead of the claims above: expressions of CEL over `claims`. */
    mapping: z
      .strictObject({
        user: expressionSchema.optional(),
        email: expressionSchema.optional(),
        groups: expressionSchema.optional(),
        actors: expressionSchema.optional(),
        consumer: expressionSchema.optional(),
      })
      .default({}),
    /** Whether a token makes a person known (`auto`), or they must be declared or have been made known before (`known`). */
    provision: z.enum(['known', 'auto']).default('known'),
    /** Whether tokens that an application has for itself are taken too. */
    workloads: z.boolean().default(false),
    client: issuerClientSchema.optional(),
  })
  .superRefine((issuer, context) => {
    for (const path of ['issuer', 'discovery', 'jwks_uri'] as const) {
      const message = problemOf(issuer[path], issuer.allow_http)
      if (message !== undefined) context.addIssue({ code: 'custom', path: [path], message })
    }
    if (issuer.preset === undefined) return
    const message = issuerPresets[issuer.preset].problemOf?.(issuer.issuer)
    if (message !== undefined) context.addIssue({ code: 'custom', path: ['issuer'], message })
  })

export type IssuerConfig = z.output<typeof issuerSchema>

export const issuersSchema = z
  .record(
    nameSchema.refine((name) => name !== 'turnward', '`turnward` is the name of our own tokens'),
    issuerSchema,
  )
  .default({})

const loopbackHosts = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

function problemOf(address: string | undefined, allowHttp: boolean): string | undefined {
  if (address === undefined || !URL.canParse(address) || new URL(address).protocol === 'https:') return undefined
  if (!allowHttp) return 'must be https; for an issuer on this machine, `allow_http: true`'
  return loopbackHosts.test(new URL(address).hostname) ? undefined : 'may be http on this machine only (`localhost`, `127.0.0.1`, `[::1]`)'
}
