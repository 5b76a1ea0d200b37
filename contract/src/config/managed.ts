/** What objects that are made over the administration API may do: the file says it, because whoever makes them may not read this machine. */
import { z } from 'zod'

export const managedSchema = z.strictObject({
  /**
   * What they may refer to where a secret stands: names of variables (`OPENAI_API_KEY`, `VENDOR_*`), files (`file:/run/secrets/*`), and
   * `machine` for the identity that a cloud gives this machine. By default nothing.
   */
  references: z.array(z.string().min(1).max(512)).max(256).default([]),
  /** Whether they may be MCP servers that run programs or read files of this machine: `transport: stdio` and `transport: openapi`. */
  local_servers: z.boolean().default(false),
})
