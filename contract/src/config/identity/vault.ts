/** What secrets of people are sealed with. */
import { z } from 'zod'
import { endpointAddressSchema } from '../addresses.ts'
import { millisecondsSchema } from '../common.ts'

/** 32 random bytes in base64 or hex, mostly `${file:…}` or `${ENV}`: `openssl rand -base64 32`. */
const sealingKeySchema = z
  .string()
  .trim()
  .regex(/^(?:[0-9a-f]{64}|[A-Za-z0-9+/_-]{43}=?)$/i, 'must be 32 bytes in base64 or hex: `openssl rand -base64 32`')

export const vaultSchema = z
  .strictObject({
    /** Seals from now on. */
    key: sealingKeySchema.optional(),
    /** Earlier keys: what was sealed with them can still be read, until `turnward credentials rewrap`. */
    previous_keys: z.array(sealingKeySchema).max(8).default([]),
    /** A transit engine of Vault or OpenBao: the key that seals never leaves it. */
    transit: z
      .strictObject({
        url: endpointAddressSchema,
        /** Name of the key in the engine. */
        key: z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/, 'use letters, digits, `_`, `.` or `-`'),
        token: z.string().min(1),
        mount: z
          .string()
          .regex(/^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*$/)
          .default('transit'),
        namespace: z.string().max(256).optional(),
        timeout_ms: millisecondsSchema.max(60_000).default(5000),
      })
      .optional(),
  })
  .refine(({ key, transit }) => key === undefined || transit === undefined, 'needs either `key` or `transit`, not both')
  .optional()
