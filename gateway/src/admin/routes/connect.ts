/** What somebody needs to connect a client: where the gateway is, and what of it is granted to them. */
import { connectSchema } from '@turnward/contract/api/connect'
import { publicUrl } from '../../config/public-url.ts'
import { granted } from '../../policy/grant-index.ts'
import type { Services } from '../../turns/services.ts'
import { apiRoute, type ApiRoute } from '../api-route.ts'

export function connectRoutes({ people, snapshot }: Pick<Services, 'people' | 'snapshot'>): readonly ApiRoute[] {
  return [
    apiRoute({
      path: '/api/connect',
      method: 'GET',
      needs: 'person',
      tag: 'Connect',
      summary: 'Where the gateway is, and which models and MCP gateways of it one may use',
      answer: connectSchema,
      async run({ administrator: { id } }) {
        const now = snapshot()
        const { routes, gateways, policy } = now
        const caller = { principal: await people.principal(id, now), actor: null }
        const may = (kind: 'models' | 'gateways', name: string): boolean => granted(policy.grants, caller, kind, name) !== undefined
        return {
          url: publicUrl(now),
          gateways: [...gateways.keys()].filter((name) => may('gateways', name)),
          models: [...routes.names, ...routes.patterns.map(({ model }) => model)].filter((name) => may('models', name)),
        }
      },
    }),
  ]
}
