/** Where this gateway is, and what of it the person who asks may use: `/api/connect`. */
import { z } from 'zod'

export const connectSchema = z
  .object({
    url: z.string().meta({ description: 'The address of the gateway as its configuration has it, without a slash at its end.' }),
    gateways: z.array(z.string()).meta({ description: 'MCP gateways, by name.' }),
    models: z.array(z.string()).meta({ description: 'Models that routes serve; `*` in a name stands for anything.' }),
  })
  .meta({ id: 'Connect' })
