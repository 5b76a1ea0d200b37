/** What agents did: turns as trees, and the records they are made of. Whoever has no role is shown their own. */
import { decisionsQuerySchema, decisionsSchema } from '@turnward/contract/api/decisions'
import { turnSchema } from '@turnward/contract/api/turns'
import { TurnwardError } from '../../core/error.ts'
import type { Services } from '../../turns/services.ts'
import { apiRoute, type ApiRoute } from '../api-route.ts'
import { onlyOf } from '../own-calls.ts'
import { cursorAt, positionAt } from '../record-cursor.ts'

export function turnRoutes({ reading }: Pick<Services, 'reading'>): readonly ApiRoute[] {
  const tag = 'Turns'
  return [
    apiRoute({
      path: '/api/turns/{id}',
      method: 'GET',
      needs: 'person',
      tag,
      summary: 'One turn as a tree: model calls, what they proposed, what ran, labels gained, what was refused and why',
      answer: turnSchema,
      async run({ administrator, parameters: { id = '' } }) {
        const found = await reading.turn(id, onlyOf(administrator))
        if (found === undefined) throw new TurnwardError('turn.not_found', { subject: id.slice(0, 64) })
        const { tree, records, truncated } = found
        return { ...tree, records, truncated }
      },
    }),
    apiRoute({
      path: '/api/decisions',
      method: 'GET',
      needs: 'person',
      tag,
      summary: 'Records of the decision log, the newest first',
      query: decisionsQuerySchema,
      answer: decisionsSchema,
      async run({ administrator, query: { cursor, limit, principal, ...filter } }) {
        const own = onlyOf(administrator)
        if (own !== undefined && principal !== undefined && principal !== own) return { decisions: [], next: null }
        const after = cursor === undefined ? undefined : positionAt(cursor)
        const { records, next } = await reading.find({ filter: { ...filter, principal: own ?? principal }, after, limit })
        return { decisions: [...records], next: next === undefined ? null : cursorAt(next) }
      },
    }),
  ]
}
