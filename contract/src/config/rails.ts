/** What an answer may carry to people once its conversation has read what is not trusted. */
import { z } from 'zod'

export const railsSchema = z.strictObject({
  /** Answers made under less trust than this rank go over the rail. Default: the highest rank of `policy.trust`. */
  below: z.string().min(1).max(64).optional(),
  /** Addresses (of links, images, HTML attributes, `data:`, any scheme) whose host is not allowed: written so that no client follows or fetches them. */
  links: z.enum(['neutralise', 'off']).default('neutralise'),
  /** Hosts whose addresses stay, or patterns: `wiki.acme.example`, `*.acme.example`. What is fetched there may carry what the session has read. */
  allowed: z
    .array(
      z
        .string()
        .regex(/^[a-zA-Z0-9.*-]+$/, 'a host or a pattern of hosts, without scheme, port and path')
        .max(255),
    )
    .max(1000)
    .default([]),
  /** Characters that are drawn as nothing or turn the direction of text: left out. */
  invisible: z.enum(['remove', 'off']).default('remove'),
})
