/** Tools of all servers: which wait for a review, which nobody has described, how they were used. */
import type { toolsSchema } from '@turnward/contract/api/tools'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import type { z } from 'zod'
import { read } from '../api.ts'
import { Filters, queryOf, wordsIn, type FilterField } from '../filters.tsx'
import { Asked, Page, Time } from '../parts.tsx'
import { coverageWords } from '../policy/words.ts'
import { Table } from '../table.tsx'
import { countText } from '../words.ts'
import { CoverageChip, PinChip, pinWords } from '../tools/chips.tsx'

const fields: readonly FilterField[] = [
  { name: 'q', label: 'Text' },
  { name: 'server', label: 'Server' },
  { name: 'coverage', label: 'Contract', options: coverageWords },
  { name: 'pin', label: 'Definition', options: { held: 'waits for a review', ...pinWords } },
]

/** What stands in the address of the page. */
export const toolsIn = wordsIn([...fields.map(({ name }) => name), 'after'])

export function ToolsPage() {
  const wanted = useSearch({ from: '/tools' })
  const navigate = useNavigate({ from: '/tools' })
  const query = queryOf(wanted)
  const isNarrowed = fields.some(({ name }) => wanted[name] !== undefined)
  return (
    <Page title="Tools">
      <Filters fields={fields} wanted={wanted} onWant={(search) => void navigate({ search })} />
      <Asked options={{ queryKey: ['tools', query], queryFn: () => read<z.output<typeof toolsSchema>>(`/api/tools${query}`) }}>
        {({ tools, total, next, counted }) => (
          <>
            <Table
              caption={`${total === tools.length ? '' : `${tools.length} of `}${countText(total, 'tool')}, by name`}
              columns={['Tool', 'What its server says', 'Definition', 'Contract', 'Calls', 'Refused']}
              rows={tools.map((tool) => ({
                key: `${tool.server} ${tool.tool}`,
                cells: [
                  <Link key="to" to="/tools/$server/$tool" params={{ server: tool.server, tool: tool.name }}>
                    {tool.name}
                  </Link>,
                  tool.title ?? tool.description,
                  <PinChip key="pin" pin={tool.pin} />,
                  <CoverageChip key="coverage" coverage={tool.coverage} />,
                  tool.use.calls,
                  tool.use.observed === 0 ? tool.use.refused : `${tool.use.refused}, and ${tool.use.observed} would have been`,
                ],
              }))}
              empty={
                isNarrowed ? (
                  <p>
                    No tool is like that. <Link to="/tools">Show all</Link>
                  </p>
                ) : (
                  <p>
                    No server has listed a tool yet. <Link to="/servers">See how the servers are</Link>
                  </p>
                )
              }
            />
            {counted.records === 0 ? null : (
              <p>
                Calls are counted since <Time at={counted.from} />.
              </p>
            )}
            {next === null ? null : (
              <p>
                <Link to="/tools" search={{ ...wanted, after: next }} className="button quiet">
                  More
                </Link>
              </p>
            )}
          </>
        )}
      </Asked>
    </Page>
  )
}
