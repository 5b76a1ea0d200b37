/** Who may administer what. */
import { z } from 'zod'

/** The roles there are, in the order they are shown. */
export const roleNames = ['viewer', 'operator', 'policy_author', 'admin', 'auditor'] as const

const holdersSchema = z.strictObject({
  /** Ids of principals. */
  people: z.array(z.string().min(1)).default([]),
  /** Groups, whoever put people into them. */
  groups: z.array(z.string().min(1)).default([]),
})

export const rolesSchema = z.partialRecord(z.enum(roleNames), holdersSchema).default({})
