/** Who changed what of the gateway, for who may look. */
import { type auditedSchema, auditQuerySchema, auditSchema } from '@turnward/contract/api/audit'
import type { z } from 'zod'
import { administered } from '../../audit/reading/administered.ts'
import type { StoredRecord } from '../../audit/stored-record.ts'
import type { Services } from '../../turns/services.ts'
import { apiRoute, type ApiRoute } from '../api-route.ts'
import { cursorAt, positionAt } from '../record-cursor.ts'

/** They are few among the records of calls. */
const mostLookedThrough = 200_000

export function auditRoutes({ reading, store }: Pick<Services, 'reading' | 'store'>): readonly ApiRoute[] {
  return [
    apiRoute({
      path: '/api/audit',
      method: 'GET',
      needs: { role: 'viewer' },
      tag: 'Audit',
      summary: 'Who changed what of the gateway, the newest first',
      query: auditQuerySchema,
      answer: auditSchema,
      async run({ query: { by, area, subject, from, to, q, cursor, limit } }) {
        const after = cursor === undefined ? undefined : positionAt(cursor)
        const filter = { done: { area: area ?? ('any' as const), by, subject }, from, to, q }
        const [{ records, next }, waiting] = await Promise.all([
          reading.find({ filter, after, limit, most: mostLookedThrough }),
          store.acts.count(),
        ])
        return { changes: records.flatMap(shown), next: next === undefined ? null : cursorAt(next), waiting }
      },
    }),
  ]
}

function shown({ writer, seq, hash, record }: StoredRecord): z.input<typeof auditedSchema>[] {
  const done = administered(record)
  const { id, time, subject, reason, turn } = record
  return done === undefined ? [] : [{ id, time, ...done, subject, reason, turn, writer, seq, hash }]
}
