/** What was used by the hour or day. Whoever has no role is shown what they have used. */
import { usageQuerySchema, usageSchema } from '@turnward/contract/api/usage'
import type { z } from 'zod'
import { TurnwardError } from '../../core/error.ts'
import { addedUsage, noUsage, type UsageAmounts } from '../../store/summaries/usage.ts'
import type { UsageRow } from '../../store/summaries/summaries.ts'
import type { Services } from '../../turns/services.ts'
import { apiRoute, type ApiRoute } from '../api-route.ts'
import { onlyOf } from '../own-calls.ts'

const hourMs = 3_600_000
const steps = { hour: { ms: hourMs, usually: 24 }, day: { ms: 24 * hourMs, usually: 30 } } as const
const mostRows = 10_000

type Usage = z.input<typeof usageSchema>

export function usageRoutes({ store: { summaries }, clock }: Pick<Services, 'store' | 'clock'>): readonly ApiRoute[] {
  return [
    apiRoute({
      path: '/api/usage',
      method: 'GET',
      needs: 'person',
      tag: 'Usage',
      summary: 'Calls, tokens and cost by the hour or day',
      query: usageQuerySchema,
      answer: usageSchema,
      async run({ administrator, query: { by, step, from: asked, to: until = clock.now(), principal, key, model } }): Promise<Usage> {
        const { ms, usually } = steps[step]
        const to = Math.ceil((until + 1) / ms) * ms
        const from = asked === undefined ? to - usually * ms : Math.floor(asked / ms) * ms
        const own = onlyOf(administrator)
        const nothing = { by, step, from, to, rows: [], totals: [], unpriced: [] }
        if (own !== undefined && principal !== undefined && principal !== own) return nothing
        const only = { principal: own ?? principal, key, model }
        const found = await summaries.usage({ by: by === 'group' ? 'groups' : by, from, to, step: ms, only, limit: mostRows + 1 })
        if (found.length > mostRows)
          throw new TurnwardError('request.invalid', {
            subject: 'query',
            why: `it asks for more than ${mostRows} rows`,
            fix: 'Ask for days, for a shorter time, or for less at a time.',
          })
        const rows = (by === 'group' ? byGroup(found) : found).map(rounded)
        return { ...nothing, rows, totals: totalsOf(rows), unpriced: [...(await summaries.unpriced({ from, to, only }))] }
      },
    }),
  ]
}

/** A row of somebody in several groups counts in each of them; of somebody in none, in the empty one. */
function byGroup(rows: readonly UsageRow[]): readonly UsageRow[] {
  const found = new Map<string, UsageRow>()
  for (const row of rows) {
    const groups = JSON.parse(row.value) as readonly string[]
    for (const value of groups.length === 0 ? [''] : groups) {
      const key = `${row.start} ${value}`
      found.set(key, { start: row.start, value, ...addedUsage(found.get(key) ?? noUsage, row) })
    }
  }
  return [...found.values()].sort((one, other) => one.start - other.start || (one.value < other.value ? -1 : 1))
}

function totalsOf(rows: readonly UsageRow[]): Usage['totals'] {
  const totals = new Map<string, UsageAmounts>()
  for (const row of rows) totals.set(row.value, addedUsage(totals.get(row.value) ?? noUsage, row))
  return [...totals]
    .map(([value, amounts]) => rounded({ value, ...amounts }))
    .sort((one, other) => other.cost - one.cost || other.calls - one.calls || (one.value < other.value ? -1 : 1))
}

/** Sums of fractions end in digits that mean nothing. */
function rounded<T extends { readonly cost: number }>(amounts: T): T {
  return { ...amounts, cost: Math.round(amounts.cost * 1e9) / 1e9 }
}
