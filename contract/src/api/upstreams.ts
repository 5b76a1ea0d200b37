/** How upstreams are: `/api/upstreams`. */
import { z } from 'zod'

export const shownUpstreamSchema = z
  .object({
    upstream: z.string(),
    kind: z.string(),
    state: z.enum(['up', 'partly', 'passed_over']),
    running: z.int().meta({ description: 'Calls under way there, of the process that answers.' }),
    troubles: z.array(
      z.object({
        kind: z.enum(['unreachable', 'failing', 'throttled']),
        model: z.string().optional(),
        why: z.string(),
        until: z.string().meta({ description: 'When it is tried again (ISO 8601).' }),
      }),
    ),
    latencies: z.array(z.object({ model: z.string(), streamed: z.number().optional(), whole: z.number().optional() })),
  })
  .meta({ id: 'Upstream' })

export const upstreamsSchema = z.object({ upstreams: z.array(shownUpstreamSchema) })
