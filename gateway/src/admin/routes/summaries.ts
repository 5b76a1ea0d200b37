/** Lists of turns and sessions. Whoever has no role is shown their own. */
import { sessionSchema, sessionsQuerySchema, sessionsSchema, turnsQuerySchema, turnsSchema } from '@turnward/contract/api/turns'
import { TurnwardError } from '../../core/error.ts'
import type { Services } from '../../turns/services.ts'
import { apiRoute, type ApiRoute } from '../api-route.ts'
import { onlyOf } from '../own-calls.ts'
import { pageOf, shownSession, shownTurn } from '../showing-summaries.ts'

/** Turns that a session is shown with. */
const latestTurns = 50

export function summaryRoutes({ store: { summaries } }: Pick<Services, 'store'>): readonly ApiRoute[] {
  const tag = 'Turns'
  return [
    apiRoute({
      path: '/api/turns',
      method: 'GET',
      needs: 'person',
      tag,
      summary: 'Turns, those that began last first',
      query: turnsQuerySchema,
      answer: turnsSchema,
      async run({ administrator, query }) {
        const { found, next } = await pageOf(summaries, 'turn', query, onlyOf(administrator))
        return { turns: found.map(shownTurn), next }
      },
    }),
    apiRoute({
      path: '/api/sessions',
      method: 'GET',
      needs: 'person',
      tag,
      summary: 'Sessions, those that began last first',
      query: sessionsQuerySchema,
      answer: sessionsSchema,
      async run({ administrator, query }) {
        const { found, next } = await pageOf(summaries, 'session', query, onlyOf(administrator))
        return { sessions: found.map(shownSession), next }
      },
    }),
    apiRoute({
      path: '/api/sessions/{id}',
      method: 'GET',
      needs: 'person',
      tag,
      summary: 'One session, with its latest turns',
      answer: sessionSchema,
      async run({ administrator, parameters: { id = '' } }) {
        const own = onlyOf(administrator)
        const found = await summaries.find('session', id)
        if (found === undefined || (own !== undefined && found.part.whose.principal !== own))
          throw new TurnwardError('session.not_found', { subject: id.slice(0, 64) })
        const latest = await summaries.list({ kind: 'turn', facts: { session: id, principal: own }, limit: latestTurns })
        return { ...shownSession(found), latest: latest.map(shownTurn) }
      },
    }),
  ]
}
