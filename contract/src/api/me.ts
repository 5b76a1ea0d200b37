/** Who asks: `/api/me`, and what is theirs. */
import { z } from 'zod'
import { roleNames } from '../config/identity/roles.ts'
import { timeSchema } from './shared.ts'

export const meSchema = z
  .object({
    /** Principal id. */
    id: z.string(),
    groups: z.array(z.string()),
    /** Those that count in this request. */
    roles: z.array(z.enum(roleNames)),
    manages: z.array(z.string()).meta({ description: 'Groups whose provider credentials this person looks after.' }),
    form: z
      .object({ header: z.string(), value: z.string() })
      .optional()
      .meta({ description: 'What a page sends with each request that changes something; absent for a key or token.' }),
  })
  .meta({ id: 'Me' })

export const ownCredentialSchema = z
  .object({
    id: z.string(),
    upstream: z.string(),
    /** Absent: the person's own. */
    group: z.string().optional(),
    created: timeSchema,
    changed: timeSchema,
  })
  .meta({ id: 'OwnCredential' })

export const ownCredentialsSchema = z.object({ credentials: z.array(ownCredentialSchema) })

export const storedOwnCredentialSchema = ownCredentialSchema
  .extend({ test: z.object({ model: z.string().optional(), detail: z.string() }).nullable() })
  .meta({ id: 'StoredOwnCredential' })

export const removedCredentialSchema = z.object({ id: z.string(), removed: z.literal(true) })
