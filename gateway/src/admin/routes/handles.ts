/** What a handle stands for, for the person it was withheld for. */
import { z } from 'zod'
import type { Services } from '../../turns/services.ts'
import { writingRoute, type ApiRoute } from '../api-route.ts'
import { showHandle } from '../showing-handles.ts'

const querySchema = z.strictObject({
  consumer: z.string().max(512).default('').meta({ description: 'The application it was withheld in; none without it.' }),
})

export function handleRoutes(services: Services): readonly ApiRoute[] {
  return [
    writingRoute({
      path: '/api/handles/{id}',
      method: 'GET',
      needs: 'person',
      tag: 'Handles',
      summary: 'What a handle stands for, as text in which everything is to be seen',
      media: 'text/plain',
      query: querySchema,
      run: ({ administrator: { id: person }, query: { consumer }, parameters: { id = '' }, response }) =>
        showHandle(services, response, { person, consumer, handle: id }),
    }),
  ]
}
