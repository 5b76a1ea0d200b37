/** Records of the decision log, found by what stands in the address of the page. */
import type { decisionsSchema } from '@turnward/contract/api/decisions'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import type { z } from 'zod'
import { read } from '../api.ts'
import { decisionCells, decisionColumns, decisionFields } from '../decision-rows.tsx'
import { Filters, queryOf, wordsIn } from '../filters.tsx'
import { NothingFound, Paging } from '../paging.tsx'
import { Asked, Page } from '../parts.tsx'
import { Table } from '../table.tsx'

/** What stands in the address of the page. */
export const decisionsIn = wordsIn([...decisionFields.map(({ name }) => name), 'cursor'])

export function DecisionsPage() {
  const wanted = useSearch({ from: '/decisions' })
  const navigate = useNavigate({ from: '/decisions' })
  const query = queryOf(wanted)
  return (
    <Page title="Decisions">
      <Filters fields={decisionFields} wanted={wanted} onWant={(search) => void navigate({ search })} />
      <Asked options={{ queryKey: ['decisions', query], queryFn: () => read<z.output<typeof decisionsSchema>>(`/api/decisions${query}`) }}>
        {({ decisions, next }) => (
          <>
            <Table
              caption="Records of the decision log, the newest first"
              columns={decisionColumns}
              rows={decisions.map(({ writer, seq, record }) => ({
                key: `${writer} ${seq}`,
                cells: decisionCells(
                  record,
                  record.turn === null ? (
                    ''
                  ) : (
                    <Link to="/turns/$id" params={{ id: record.turn }}>
                      {record.turn}
                    </Link>
                  ),
                ),
              }))}
              empty={<NothingFound to="/decisions" next={next} />}
            />
            <Paging to="/decisions" wanted={wanted} next={next} />
          </>
        )}
      </Asked>
    </Page>
  )
}
