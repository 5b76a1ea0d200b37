/** What was used and what it has cost, told apart by what stands in the address of the page. */
import type { usageSchema } from '@turnward/contract/api/usage'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import type { z } from 'zod'
import { read } from '../api.ts'
import { Filters, queryOf, wordsIn, type FilterField } from '../filters.tsx'
import { Asked, Page } from '../parts.tsx'
import { Table } from '../table.tsx'
import { BarChart } from '../usage/bar-chart.tsx'
import { barsOf, isMeasure, measures, type Measure, type Usage } from '../usage/measures.ts'

const fields: readonly FilterField[] = [
  {
    name: 'by',
    label: 'Told apart by',
    options: {
      model: 'model',
      principal: 'person',
      group: 'group',
      key: 'key',
      consumer: 'application',
      agent: 'agent',
      upstream: 'upstream',
      route: 'route',
    },
  },
  { name: 'step', label: 'In steps of', options: { hour: 'hours', day: 'days' } },
  { name: 'show', label: 'Shown', options: Object.fromEntries(Object.entries(measures).map(([id, { name }]) => [id, name])) },
  { name: 'principal', label: 'Only this person' },
  { name: 'key', label: 'Only this key' },
  { name: 'model', label: 'Only this model' },
  { name: 'from', label: 'From', type: 'datetime-local' },
  { name: 'to', label: 'To', type: 'datetime-local' },
]

/** What stands in the address of the page. */
export const usageIn = wordsIn(fields.map(({ name }) => name))

export function UsagePage() {
  const { show = 'cost', ...wanted } = useSearch({ from: '/usage' })
  const navigate = useNavigate({ from: '/usage' })
  const query = queryOf(wanted)
  const measure = isMeasure(show) ? show : 'cost'
  return (
    <Page title="Usage">
      <Filters
        fields={fields}
        wanted={{ ...wanted, ...(measure !== 'cost' && { show: measure }) }}
        onWant={(search) => void navigate({ search })}
      />
      <Asked options={{ queryKey: ['usage', query], queryFn: () => read<z.output<typeof usageSchema>>(`/api/usage${query}`) }}>
        {(usage) => <Shown usage={usage} measure={measure} />}
      </Asked>
    </Page>
  )
}

function Shown({ usage, measure }: { readonly usage: Usage; readonly measure: Measure }) {
  const { by, totals, unpriced, step } = usage
  const { name, text } = measures[measure]
  return (
    <>
      {unpriced.length === 0 ? null : (
        <p className="refused">
          No price is known of {unpriced.join(', ')}: what calls of them cost is in no sum.{' '}
          <Link to="/configuration/$kind" params={{ kind: 'prices' }}>
            Say what they cost
          </Link>
        </p>
      )}
      <BarChart label={name} bars={barsOf(usage, measure)} text={text} step={step} />
      <Table
        caption={`By ${by === 'principal' ? 'person' : by}, the most expensive first`}
        columns={[
          by === 'principal' ? 'Person' : `${by.slice(0, 1).toUpperCase()}${by.slice(1)}`,
          'Cost',
          'Calls',
          'Failures',
          'Tokens in',
          'Tokens out',
          'Unpriced calls',
        ]}
        rows={totals.map(({ value, cost, calls, failures, inputTokens, outputTokens, unpriced: without }) => ({
          key: value,
          cells: [
            value === '' ? 'none' : value,
            cost === 0 && without > 0 ? 'unpriced' : measures.cost.text(cost),
            calls,
            failures,
            inputTokens,
            outputTokens,
            without,
          ],
        }))}
        empty={<p>No model was called in this time. Filter for another one.</p>}
      />
    </>
  )
}
