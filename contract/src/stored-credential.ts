/** A provider credential that a person, a group or the organisation has stored: never what the machine of the gateway is given. */
import { z } from 'zod'

/** Whether it is what Google gives out for a service account, as far as that can be told without asking. */
function isServiceAccount(text: string): boolean {
  try {
    const file: unknown = JSON.parse(text)
    if (typeof file !== 'object' || file === null) return false
    const { type, client_email: email, private_key: key } = file as Readonly<Record<string, unknown>>
    return type === 'service_account' && typeof email === 'string' && typeof key === 'string' && key.includes('PRIVATE KEY')
  } catch {
    return false
  }
}

const parts = {
  secret: z
    .string()
    .trim()
    .min(1)
    .max(8192)
    // It goes out in a header (RFC 9110, section 5.5).
    .regex(/^[\t -~\u0080-\u00ff]*$/, 'has characters that no header can carry')
    .optional(),
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
      service_account: z.string().min(2).max(32_768).refine(isServiceAccount, 'is not the JSON file of a service account'),
    })
    .optional(),
}

const isOne = ({ secret, aws, google }: { readonly secret?: unknown; readonly aws?: unknown; readonly google?: unknown }): boolean =>
  [secret, aws, google].filter((part) => part !== undefined).length === 1
const oneIsNeeded = 'needs one of `secret`, `aws` and `google`'

export const storedCredentialSchema = z.strictObject(parts).refine(isOne, oneIsNeeded)

export type StoredCredential = z.output<typeof storedCredentialSchema>

/** What a person sends to have one stored: `POST /api/me/credentials`. */
export const credentialRequestSchema = z
  .strictObject({
    ...parts,
    upstream: z.string().min(1).max(64),
    /** The group whose it is; without one it is the person's own. */
    group: z.string().min(1).max(512).optional(),
    /** A model to ask with it, which costs a few tokens. */
    model: z.string().min(1).max(256).optional(),
  })
  .refine(isOne, oneIsNeeded)

export type CredentialRequest = z.output<typeof credentialRequestSchema>
