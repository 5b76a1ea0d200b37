/** Records of the decision log, found by what stands in the address of the page. */
import type { decisionsSchema } from '@turnward/contract/api/decisions'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import type { z } from 'zod'
import { read } from '../api.ts'
import { Filters, queryOf, wordsIn, type FilterField } from '../filters.tsx'
import { Paging } from '../paging.tsx'
import { Asked, Page, Time } from '../parts.tsx'
import { Table } from '../table.tsx'
import { statusOf } from '../turns/steps.ts'

const fields: readonly FilterField[] = [
  { name: 'q', label: 'Text' },
  { name: 'principal', label: 'Person' },
  { name: 'tool', label: 'Tool' },
  { name: 'model', label: 'Model' },
  {
    name: 'action',
    label: 'What was done',
    options: { refuse: 'refused', observe: 'would be refused', hold: 'held', answer: 'answered', release: 'released', hide: 'hidden' },
  },
  { name: 'turn', label: 'Turn' },
  { name: 'session', label: 'Session' },
  { name: 'from', label: 'From', type: 'datetime-local' },
  { name: 'to', label: 'To', type: 'datetime-local' },
]

/** What stands in the address of the page. */
export const decisionsIn = wordsIn([...fields.map(({ name }) => name), 'cursor'])

export function DecisionsPage() {
  const wanted = useSearch({ from: '/decisions' })
  const navigate = useNavigate({ from: '/decisions' })
  const query = queryOf(wanted)
  return (
    <Page title="Decisions">
      <Filters fields={fields} wanted={wanted} onWant={(search) => void navigate({ search })} />
      <Asked options={{ queryKey: ['decisions', query], queryFn: () => read<z.output<typeof decisionsSchema>>(`/api/decisions${query}`) }}>
        {({ decisions, next }) => (
          <>
            <Table
              caption="Records of the decision log, the newest first"
              columns={['Time', 'What', 'Subject', 'For', 'Done', 'Why', 'Turn']}
              rows={decisions.map(({ writer, seq, record }) => ({
                key: `${writer} ${seq}`,
                cells: [
                  <Time key="time" at={record.time} />,
                  `${record.kind.replaceAll('_', ' ')}${record.type === 'outcome' ? ' ended' : ''}`,
                  record.subject,
                  record.principal,
                  record.type === 'outcome' ? (record.outcome ?? '').replaceAll('_', ' ') : statusOf(record),
                  record.reason,
                  record.turn === null ? (
                    ''
                  ) : (
                    <Link key="turn" to="/turns/$id" params={{ id: record.turn }}>
                      {record.turn}
                    </Link>
                  ),
                ],
              }))}
              empty={
                next === null ? (
                  <p>
                    Nothing on record is like that. <Link to="/decisions">Show everything</Link>
                  </p>
                ) : (
                  <p>Nothing so far. Look further back with Older.</p>
                )
              }
            />
            <Paging to="/decisions" wanted={wanted} next={next} />
          </>
        )}
      </Asked>
    </Page>
  )
}
