/** Upstreams, and how they are. */
import type { upstreamsSchema } from '@turnward/contract/api/upstreams'
import { Link } from '@tanstack/react-router'
import type { z } from 'zod'
import { read } from '../api.ts'
import { Asked, Page, Time } from '../parts.tsx'
import { Table } from '../table.tsx'

const upstreams = { queryKey: ['upstreams'], queryFn: () => read<z.output<typeof upstreamsSchema>>('/api/upstreams') }

const words = { up: 'up', partly: 'partly', passed_over: 'passed over' } as const

export function UpstreamsPage() {
  return (
    <Page title="Upstreams">
      <Asked options={upstreams}>
        {({ upstreams: all }) => (
          <Table
            caption="Upstreams, as the process that answered sees them"
            columns={['Upstream', 'Kind', 'State', 'Running', 'Troubles']}
            rows={all.map(({ upstream, kind, state, running, troubles }) => ({
              key: upstream,
              cells: [
                upstream,
                kind,
                words[state],
                running,
                troubles.map(({ kind: trouble, model, why, until }) => (
                  <p key={`${trouble} ${model ?? ''}`}>
                    {trouble}
                    {model === undefined ? '' : ` (${model})`}: {why}; tried again <Time at={until} />
                  </p>
                )),
              ],
            }))}
            empty={
              <p>
                No upstream is configured.{' '}
                <Link to="/configuration/$kind" params={{ kind: 'upstreams' }}>
                  Make one
                </Link>
              </p>
            }
          />
        )}
      </Asked>
    </Page>
  )
}
