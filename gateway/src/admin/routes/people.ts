/** People and workloads that are known here; shutting one out, and letting one in again. */
import { peopleQuerySchema, peopleSchema, personChangeSchema, personSchema } from '@turnward/contract/api/people'
import { createPeopleService } from '../../identity/people/people-service.ts'
import type { Services } from '../../turns/services.ts'
import { actRecorder } from '../administration-record.ts'
import { apiRoute, type ApiRoute } from '../api-route.ts'

export function peopleRoutes({ store, clock, snapshot, log }: Pick<Services, 'store' | 'clock' | 'snapshot' | 'log'>): readonly ApiRoute[] {
  const record = actRecorder({ log, clock, snapshot })
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
      async run({ administrator, parameters: { id = '' }, body: { active } }) {
        const isDeclared = snapshot().principals.has(id)
        if (!isDeclared) await people.show(id)
        const what = active
          ? { act: 'people.enable', reason: `Lets ${id} in again.` }
          : { act: 'people.disable', reason: `Shuts ${id} out.` }
        await record(administrator, { ...what, subject: id, rules: ['role admin'] })
        return people.setActive(id, active, isDeclared)
      },
    }),
  ]
}
