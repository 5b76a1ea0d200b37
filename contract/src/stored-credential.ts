/** A provider credential that a person, a group or the organisation has stored: never what the machine of the gateway is given. */
import { z } from 'zod'

export const storedCredentialSchema = z
  .strictObject({
    secret: z.string().trim().min(1).max(8192).optional(),
    aws: z
      .strictObject({
        access_key_id: z.string().regex(/^[\w-]{8,256}$/),
        secret_access_key: z.string().min(8).max(1024),
        session_token: z.string().min(1).max(8192).optional(),
      })
      .optional(),
    google: z
      .strictObject({
        /** The JSON file of a service account, as text. */
        service_account: z.string().min(2).max(32_768),
      })
      .optional(),
  })
  .refine((parts) => Object.values(parts).filter((part) => part !== undefined).length === 1, 'needs one of `secret`, `aws` and `google`')

export type StoredCredential = z.output<typeof storedCredentialSchema>
