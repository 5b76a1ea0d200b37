/** Who may call: principals, groups, virtual keys. */
import { z } from 'zod'
import { nameSchema, notAvailableYet } from './common.ts'
import { keyGrantsSchema, keyScopesSchema } from './identity/key-limits.ts'
import { certificatesSchema } from './identity/certificates.ts'
import { edgesSchema } from './identity/edges.ts'
import { issuersSchema } from './identity/issuers.ts'
import { oauthSchema } from './identity/oauth.ts'
import { rolesSchema } from './identity/roles.ts'
import { scimSchema } from './identity/scim.ts'
import { signInSchema } from './identity/sign-in.ts'
import { vaultSchema } from './identity/vault.ts'

const credentialMap = z.record(nameSchema, nameSchema).default({})

export const groupSchema = z.strictObject({
  description: z.string().optional(),
  /** Upstream name -> credential id, for members without one of their own. */
  credentials: credentialMap,
  /** Ids of principals who may store its provider credentials, besides those with the role `admin`. */
  managers: z.array(z.string().min(1)).default([]),
})

export const principalSchema = z.strictObject({
  kind: z.enum(['human', 'workload']).default('human'),
  groups: z.array(nameSchema).default([]),
  /** Addresses that mean this principal as a reader of data. */
  emails: z.array(z.string().regex(/^[^\s@,;<>]+@[^\s@,;<>]+$/, 'must be a plain address')).default([]),
  credentials: credentialMap,
  /** The issuer that may speak for it; with one issuer it need not be named. */
  issuer: nameSchema.optional(),
})

export const keySchema = z.strictObject({
  principal: nameSchema,
  /** The application this key belongs to. */
  consumer: nameSchema.optional(),
  /** The agent that acts for the principal. */
  actor: nameSchema.optional(),
  /** The key itself through `${ENV}` or `${file:path}`: at least 20 characters, `tw_` by convention. */
  secret: z.string().min(20),
  /** ISO 8601 date or time after which the key is refused. */
  expires: z.iso.datetime({ offset: true }).or(z.iso.date()).optional(),
  credentials: credentialMap,
  scopes: keyScopesSchema.optional(),
  grants: keyGrantsSchema.optional(),
  limits: notAvailableYet('keys.*.limits'),
  budget: notAvailableYet('keys.*.budget'),
})

export const identitySchema = z.strictObject({
  issuers: issuersSchema,
  oauth: oauthSchema.optional(),
  edges: edgesSchema,
  certificates: certificatesSchema,
  sign_in: signInSchema,
  scim: scimSchema,
  roles: rolesSchema,
  vault: vaultSchema,
})
