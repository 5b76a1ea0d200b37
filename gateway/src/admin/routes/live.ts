/** What agents do, as it is written down. Whoever has no role is shown their own. */
import { liveQuerySchema } from '@turnward/contract/api/live'
import type { Services } from '../../turns/services.ts'
import { answerLive } from '../answering-live.ts'
import { writingRoute, type ApiRoute } from '../api-route.ts'

export function liveRoutes(services: Pick<Services, 'feed' | 'live'>): readonly ApiRoute[] {
  return [
    writingRoute({
      path: '/api/live',
      method: 'GET',
      needs: 'person',
      tag: 'Turns',
      summary: 'Records of the decision log as they are written: server-sent events `decisions`, `gap` and `end`',
      media: 'text/event-stream',
      query: liveQuerySchema,
      conditions: ['Last-Event-ID'],
      run: (ask) => answerLive(services, ask),
    }),
  ]
}
