/** How the model floor stands: limits and budgets, upstreams. */
import { limitsQuerySchema, limitsSchema } from '@turnward/contract/api/limits'
import { upstreamsSchema } from '@turnward/contract/api/upstreams'
import { showUpstreams } from '../../models/balancing/showing-health.ts'
import { showLimits } from '../../turns/limiting/showing-limits.ts'
import type { Services } from '../../turns/services.ts'
import { apiRoute, type ApiRoute } from '../api-route.ts'

export function trafficRoutes(services: Services): readonly ApiRoute[] {
  const { snapshot, upstreams } = services
  return [
    apiRoute({
      path: '/api/limits',
      method: 'GET',
      needs: { role: 'viewer' },
      tag: 'Limits',
      summary: 'How limits and budgets stand, in every scope that is known',
      query: limitsQuerySchema,
      answer: limitsSchema,
      run: async ({ query: { principal } }) => ({ limits: await showLimits(services, principal) }),
    }),
    apiRoute({
      path: '/api/upstreams',
      method: 'GET',
      needs: { role: 'viewer' },
      tag: 'Upstreams',
      summary: 'How upstreams are, as the process that answers finds them',
      answer: upstreamsSchema,
      run: async () => ({ upstreams: showUpstreams(snapshot(), upstreams.health) }),
    }),
  ]
}
