/** Edges in front that say who calls: what proves that a request comes from one, and which of its headers count. */
import { z } from 'zod'
import { nameSchema } from '../common.ts'
import { certificateNameSchema } from './certificate-names.ts'

/** Lower case: names of headers do not differ by case. */
const headerNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, 'must be the name of a header: 1-64 letters, digits or `-`')
  .transform((name) => name.toLowerCase())

/** `10.0.0.0/8`, or one address. */
const networkSchema = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], {
  error: 'must be an address, or a network such as `10.0.0.0/8`',
})

/** Which header says what, for an edge that is neither Kong nor APISIX. */
const namedHeadersSchema = z
  .strictObject({
    /** The person, as the edge knows them. */
    user: headerNameSchema.optional(),
    groups: headerNameSchema.optional(),
    email: headerNameSchema.optional(),
    /** The application. */
    consumer: headerNameSchema.optional(),
    /** The id of the credential that the edge has checked. */
    credential: headerNameSchema.optional(),
    /** `true` where the edge let somebody through whom it does not know. */
    anonymous: headerNameSchema.optional(),
    /** A signed JWT of `issuer`, as the header has it. */
    signed_token: headerNameSchema.optional(),
    /** JSON in Base64 that says who signed in, without a signature. */
    user_info: headerNameSchema.optional(),
    /** Contents of an ID token, written alike. */
    id_token: headerNameSchema.optional(),
  })
  .refine(
    ({ user, signed_token: signed, user_info: info, id_token: token }) => [user, signed, info, token].some((name) => name !== undefined),
    'name the header that says who calls: `user`, `signed_token`, `user_info` or `id_token`',
  )

const edgeSchema = z
  .strictObject({
    /** Where its connections come from. Needs `secret`: an address alone is no proof. */
    from: z.array(networkSchema).default([]),
    /** What it adds to every request. */
    secret: z.strictObject({ header: headerNameSchema, value: z.string().min(16).max(512) }).optional(),
    /** Instead of both: the certificate that it shows us. */
    mtls: z.strictObject({ san: z.array(certificateNameSchema).min(1) }).optional(),
    headers: z.union([z.enum(['kong', 'apisix']), namedHeadersSchema]),
    /**
     * Of `kong` and `apisix`: the headers that count. An edge replaces those that its plugins set; what a client sends under another of
     * these names passes through it, so name only what the plugins on its routes set.
     */
    reads: z
      .array(z.enum(['consumer', 'groups', 'token', 'user_info']))
      .min(1)
      .optional(),
    /** Whose people it names, by their name under `identity.issuers`; its signed token must be of that issuer. */
    issuer: nameSchema.optional(),
    /** Whom its signed token is for: the client that the edge is at the issuer. Default: the audiences of the issuer. */
    audiences: z.array(z.string().min(1).max(512)).min(1).optional(),
    /** What calls through it, when no token says who: people, or programs. */
    kind: z.enum(['human', 'workload']).default('human'),
    /** Whether somebody whom nothing here knows yet is let in. */
    provision: z.enum(['known', 'auto']).default('known'),
    /** What a caller may do whom the edge itself calls anonymous: `refuse`, or `models`, as this principal. */
    anonymous: z.union([z.literal('refuse'), z.strictObject({ models: nameSchema })]).default('refuse'),
  })
  .superRefine((edge, context) => {
    for (const { path, message } of problemsOf(edge)) context.addIssue({ code: 'custom', path: [path], message })
  })

/** What a product has no header of its own for. */
const unread: Readonly<Record<string, readonly string[]>> = { kong: ['token', 'user_info'], apisix: ['groups'] }

interface EdgeText {
  readonly from: readonly string[]
  readonly secret?: object | undefined
  readonly mtls?: object | undefined
  readonly headers: string | Readonly<Partial<Record<'signed_token' | 'user_info' | 'id_token', string | undefined>>>
  readonly reads?: readonly string[] | undefined
  readonly issuer?: string | undefined
  readonly audiences?: readonly string[] | undefined
}

function* problemsOf({ from, secret, mtls, headers, reads, issuer, audiences }: EdgeText): Generator<{ path: string; message: string }> {
  if (mtls === undefined && secret === undefined)
    yield { path: 'secret', message: 'anybody could say what this edge says: it needs `from` and `secret`, or `mtls`' }
  if (mtls === undefined && secret !== undefined && from.length === 0)
    yield { path: 'from', message: 'a secret alone is no proof of an edge: name the networks that it calls from, or use `mtls`' }
  for (const network of from) if (/\/0+$/.test(network)) yield { path: 'from', message: `\`${network}\` is every address there is` }
  if (typeof headers === 'object' && reads !== undefined)
    yield { path: 'reads', message: 'is for `kong` and `apisix`; of named headers all count' }
  const missing = typeof headers === 'string' ? (unread[headers] ?? []) : []
  for (const one of reads ?? [])
    if (missing.includes(one))
      yield {
        path: 'reads',
        message: `it has no header of its own for \`${one}\`: name the header that you have given it under \`headers\``,
      }
  if (audiences !== undefined && issuer === undefined) yield { path: 'audiences', message: 'is for the signed token of an `issuer`' }
  const isToken =
    typeof headers === 'string'
      ? reads?.some((one) => one === 'token' || one === 'user_info') === true
      : [headers.signed_token, headers.user_info, headers.id_token].some((name) => name !== undefined)
  if (isToken && issuer === undefined)
    yield { path: 'issuer', message: 'claims need the issuer whose they are: it says which of them is the user' }
}

/** By name. */
export const edgesSchema = z.record(nameSchema, edgeSchema).default({})
