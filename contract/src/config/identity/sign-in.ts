/** How people sign in with a browser. */
import { z } from 'zod'

const minute = 60_000
const day = 24 * 60 * minute

export const signInSchema = z
  .strictObject({
    /** Accounts of this gateway, with a password and a one-time code, besides the issuers that have a `client`. */
    local: z.boolean().default(false),
    /** Whether such an account needs one-time codes (TOTP). */
    totp: z.enum(['required', 'optional']).default('required'),
    /** A session that was not used for so long ends. */
    idle_ms: z
      .number()
      .int()
      .min(minute)
      .max(day)
      .default(60 * minute),
    /** The longest session, used or not. */
    session_ms: z
      .number()
      .int()
      .min(minute)
      .max(30 * day)
      .default(12 * 60 * minute),
    /** How long the link is good that sets the password of an account. */
    link_ms: z
      .number()
      .int()
      .min(minute)
      .max(7 * day)
      .default(60 * minute),
  })
  .prefault({})
