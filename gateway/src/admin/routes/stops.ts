/**
 * What is stopped, for who may look; stopping and lifting, for who operates the gateway. Effective once it is answered. Either is stored
 * together with that it is not on record yet. A full disk keeps nobody from stopping something; from lifting it, it does.
 */
import { stopRequestSchema, stopSchema, stopsSchema } from '@turnward/contract/api/stops'
import { TurnwardError } from '../../core/error.ts'
import { createStopService, readDuration } from '../../turns/stops/stop-service.ts'
import type { Services } from '../../turns/services.ts'
import { apiRoute, type ApiRoute } from '../api-route.ts'

export function stopRoutes({ store, clock, stops, log }: Pick<Services, 'store' | 'clock' | 'stops' | 'log'>): readonly ApiRoute[] {
  const service = createStopService({ store, clock })
  const tag = 'Stops'
  return [
    apiRoute({
      path: '/api/stops',
      method: 'GET',
      needs: { role: 'viewer' },
      tag,
      summary: 'What is stopped',
      answer: stopsSchema,
      run: async () => ({ stops: await service.list() }),
    }),
    apiRoute({
      path: '/api/stops',
      method: 'POST',
      needs: { role: 'operator' },
      tag,
      summary: 'Stops an agent, a person, a tool, a server or a session',
      body: stopRequestSchema,
      answer: stopSchema,
      async run({ administrator: { id }, body: { kind, name, reason, for: duration } }) {
        const stop = await service.make({ kind, name, reason, forMs: duration === undefined ? undefined : readDuration(duration) }, id)
        await stops.look()
        return stop
      },
    }),
    apiRoute({
      path: '/api/stops/{id...}',
      method: 'DELETE',
      needs: { role: 'operator' },
      tag,
      summary: 'Lifts a stop',
      answer: stopSchema,
      async run({ administrator: { id: by }, parameters: { id = '' } }) {
        const unwritable = log.health()
        if (unwritable !== undefined) throw new TurnwardError('audit.unwritable', { why: unwritable })
        const stop = await service.lift(id, by)
        await stops.look()
        return stop
      },
    }),
  ]
}
