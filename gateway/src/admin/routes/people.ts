/** People and workloads that are known here; shutting one out, and letting one in again. */
import { peopleQuerySchema, peopleSchema, personChangeSchema, personSchema } from '@turnward/contract/api/people'
import { createPeopleService } from '../../identity/people/people-service.ts'
import type { Services } from '../../turns/services.ts'
import { apiRoute, type ApiRoute } from '../api-route.ts'

export function peopleRoutes({ store, clock, snapshot }: Pick<Services, 'store' | 'clock' | 'snapshot'>): readonly ApiRoute[] {
  const people = createPeopleService({ store, clock })
  const tag = 'People'
  return [
    apiRoute({
      path: '/api/people',
      method: 'GET',
      needs: { role: 'viewer' },
      tag,
      summary: 'People and workloads that are known, by their ids',
      query: peopleQuerySchema,
      answer: peopleSchema,
      run: async ({ query: { after, limit } }) => ({ people: await people.list(after, limit) }),
    }),
    apiRoute({
      path: '/api/people/{id...}',
      method: 'GET',
      needs: { role: 'viewer' },
      tag,
      summary: 'One of them',
      answer: personSchema,
      run: ({ parameters: { id = '' } }) => people.show(id),
    }),
    apiRoute({
      path: '/api/people/{id...}',
      method: 'PATCH',
      needs: { role: 'admin' },
      tag,
      summary: 'Shuts somebody out, or lets them in again',
      body: personChangeSchema,
      answer: personSchema,
      run: ({ parameters: { id = '' }, body: { active } }) => people.setActive(id, active, snapshot().principals.has(id)),
    }),
  ]
}
