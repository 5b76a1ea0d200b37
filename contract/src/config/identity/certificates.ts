/** Callers that prove themselves with a certificate of `listen.tls.client_ca`: whom its names mean. */
import { z } from 'zod'
import { nameSchema } from '../common.ts'
import { certificateNameSchema } from './certificate-names.ts'

const certificateSchema = z
  .strictObject({
    /** Subject alternative names, one of which the certificate must have. */
    san: z.array(certificateNameSchema).min(1),
    /** Whom it means: a declared principal. */
    principal: nameSchema.optional(),
    /** Instead: the name in the certificate is the user, one each. */
    user: z.literal('san').optional(),
    /** Of `user`: whose people these are, by the name under `identity.issuers`. */
    issuer: nameSchema.optional(),
    /** Of `user`: people, or programs. */
    kind: z.enum(['human', 'workload']).default('workload'),
    /** Of `user`: whether somebody whom nothing here knows yet is let in. */
    provision: z.enum(['known', 'auto']).default('known'),
    /** The application it belongs to. */
    consumer: nameSchema.optional(),
    /** The agent that acts with it. */
    actor: nameSchema.optional(),
  })
  .refine(
    ({ principal, user }) => (principal === undefined) !== (user === undefined),
    'say whom it means: either `principal`, or `user: san`',
  )

/** By name. */
export const certificatesSchema = z.record(nameSchema, certificateSchema).default({})
