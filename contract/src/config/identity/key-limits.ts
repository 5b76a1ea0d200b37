/** What a virtual key can do less than its owner. */
import { z } from 'zod'
import { patternSchema, serverNameSchema } from '../common.ts'

/** What a key is good for. Without it: model calls and the MCP endpoint, not the administration. */
export const keyScopesSchema = z.array(z.enum(['models', 'mcp', 'admin'])).min(1)

/**
 * What a key may use at most: an intersection with what its principal may. A kind that is not named is as the principal's; an
 * empty list leaves nothing of it.
 */
export const keyGrantsSchema = z
  .strictObject({
    models: z.array(patternSchema).optional(),
    gateways: z.array(patternSchema).optional(),
    /** Everything of these MCP servers. */
    servers: z.array(serverNameSchema).optional(),
    tools: z.array(patternSchema).optional(),
  })
  .refine((grants) => Object.values(grants).some((names) => names !== undefined), 'name what the key may use, or leave `grants` out')
export type KeyGrants = z.output<typeof keyGrantsSchema>
