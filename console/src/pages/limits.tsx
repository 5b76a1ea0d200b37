/** Limits and budgets: what is used, what is left, and when it runs out if it goes on like this. */
import type { limitsSchema, shownLimitSchema } from '@turnward/contract/api/limits'
import { Link } from '@tanstack/react-router'
import type { z } from 'zod'
import { read } from '../api.ts'
import { Asked, Page, Time } from '../parts.tsx'
import { Table } from '../table.tsx'

type Limit = z.output<typeof shownLimitSchema>

const limits = { queryKey: ['limits'], queryFn: () => read<z.output<typeof limitsSchema>>('/api/limits') }

export function LimitsPage() {
  return (
    <Page title="Limits">
      <Asked options={limits}>
        {({ limits: all }) => (
          <Table
            caption="Limits and budgets"
            columns={['Limit', 'Whose', 'Counts', 'Used', 'Left', 'Runs out', 'Resets', 'Then']}
            rows={all.map((limit) => ({
              key: `${limit.limit} ${limit.per} ${limit.scope} ${limit.count} ${limit.window}`,
              cells: [
                limit.limit,
                limit.per === 'none' ? 'all together' : `${limit.per} ${limit.scope}`,
                countedText(limit),
                <Used key="used" limit={limit} />,
                amountText(limit, Math.max(0, limit.left)),
                <RunsOut key="out" limit={limit} />,
                <Time key="at" at={limit.resets} />,
                limit.action,
              ],
            }))}
            empty={
              <p>
                Nothing is limited.{' '}
                <Link to="/configuration/$kind" params={{ kind: 'limits' }}>
                  Make a limit
                </Link>
              </p>
            }
          />
        )}
      </Asked>
    </Page>
  )
}

function Used({ limit }: { readonly limit: Limit }) {
  const { limit: name, scope, used, most } = limit
  return (
    <span>
      <meter aria-label={`${name} ${scope}`} min={0} max={most} high={most * 0.8} optimum={0} value={used} /> {amountText(limit, used)} of{' '}
      {amountText(limit, most)}
    </span>
  )
}

function countedText({ count, window }: Limit): string {
  return window === 'now' ? 'calls at once' : `${count.replace('_', ' ')} per ${window.replace('_', ' ')}`
}

function RunsOut({ limit: { runs_out: at, left, resets } }: { readonly limit: Limit }) {
  if (left <= 0) return <strong className="bad">used up</strong>
  if (resets === null) return null
  return at === null ? <>not before it resets</> : <Time at={at} />
}

/** A sliding window has parts of what was used before; nobody reads them. */
function amountText({ count }: Limit, amount: number): string {
  return count === 'cost' ? `$${amount.toFixed(2)}` : String(Math.floor(amount))
}
