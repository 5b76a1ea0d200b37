/** Building blocks of the configuration schema: names, patterns, durations, and parts that later releases fill. */
import { z } from 'zod'

/** Names of things an administrator declares. */
export const nameSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, 'use 1-63 letters, digits, `_`, `.` or `-`')

/** MCP server names: no `__`, because `server__tool` must split one way only. */
export const serverNameSchema = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]|_(?!_)){0,30}$/i, 'use 1-31 letters, digits, `-` or single `_`')
  .refine((name) => !name.endsWith('_'), 'must not end in `_`')

/** A name that clients see a tool under: what every vendor of models takes. */
export const toolNameSchema = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'use 1-64 letters, digits, `_` or `-`')

/** A name with `*` wildcards. */
export const patternSchema = z.string().min(1).max(128)

export const millisecondsSchema = z
  .number()
  .int()
  .positive()
  .max(24 * 3600 * 1000)

/**
 * A part of the configuration that exists in the design and not in this release.
 * Refused loudly: silently ignoring a security setting would be worse than not having it.
 */
export function notAvailableYet(part: string) {
  return z
    .unknown()
    .refine((value) => value === undefined, {
      message: `\`${part}\` is not available yet in this release`,
      params: { code: 'config.not_available' },
    })
    .optional()
}
