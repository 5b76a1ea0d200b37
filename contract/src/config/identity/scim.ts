/** Directories that tell us of people and groups, over SCIM 2.0. */
import { z } from 'zod'
import { nameSchema } from '../common.ts'

const directorySchema = z.strictObject({
  /** What the directory sends as its bearer token, through `${ENV}` or `${file:path}`. */
  token: z.string().min(32, 'must have at least 32 characters'),
  /** The issuer under `identity.issuers` whose people it tells of. */
  issuer: nameSchema,
  /** The attribute that has the value by which the issuer knows a person (`identity.issuers.*.user`). */
  user: z.enum(['userName', 'email', 'externalId']).default('userName'),
})

export const scimSchema = z.record(nameSchema, directorySchema).default({})
