/** Who changed what of the gateway, found by what stands in the address of the page; and how the chain of records is verified. */
import type { Area } from '@turnward/contract/administration'
import type { auditedSchema, auditSchema } from '@turnward/contract/api/audit'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import type { z } from 'zod'
import { read } from '../api.ts'
import { Filters, queryOf, wordsIn, type FilterField } from '../filters.tsx'
import { NothingFound, Paging } from '../paging.tsx'
import { Asked, Page, Time } from '../parts.tsx'
import { Snippet } from '../snippet.tsx'
import { Table } from '../table.tsx'
import { countText } from '../words.ts'

type Audited = z.output<typeof auditedSchema>

const areas: Readonly<Record<Area, string>> = {
  keys: 'keys',
  people: 'people',
  accounts: 'local accounts',
  credentials: 'provider credentials',
  links: 'what people connected at servers',
  stops: 'stops',
  approvals: 'approvals',
  configuration: 'configuration',
  servers: 'servers',
  tools: 'definitions of tools',
  oauth: 'authorization server',
  cluster: 'shared state',
}

const fields: readonly FilterField[] = [
  { name: 'area', label: 'What', options: areas },
  { name: 'by', label: 'Who' },
  { name: 'subject', label: 'Done to' },
  { name: 'q', label: 'Text' },
  { name: 'from', label: 'From', type: 'datetime-local' },
  { name: 'to', label: 'To', type: 'datetime-local' },
]

/** What stands in the address of the page. */
export const auditIn = wordsIn([...fields.map(({ name }) => name), 'cursor'])

const places = { api: 'console or API', page: 'a page of the gateway', command: 'command line', elicitation: 'a client' } as const

export function AuditPage() {
  const wanted = useSearch({ from: '/audit' })
  const navigate = useNavigate({ from: '/audit' })
  const query = queryOf(wanted)
  return (
    <Page title="Audit">
      <p>Each of these stands in the decision log before it is done. This checks that nobody has changed the log since:</p>
      <Snippet name="Command that verifies the chain" text="turnward audit verify" />
      <Filters fields={fields} wanted={wanted} onWant={(search) => void navigate({ search })} />
      <Asked options={{ queryKey: ['audit', query], queryFn: () => read<z.output<typeof auditSchema>>(`/api/audit${query}`) }}>
        {({ changes, next, waiting }) => (
          <>
            {waiting === 0 ? null : (
              <p role="status">{countText(waiting, 'change')} by the command line will be on record as soon as the log can be written.</p>
            )}
            <Table
              caption="What administrators did, the newest first"
              columns={['Time', 'Who', 'What', 'Done to', 'In words', 'Where', 'Record']}
              rows={changes.map((one) => ({
                key: `${one.writer} ${one.seq}`,
                cells: [
                  <Time key="time" at={one.time} />,
                  one.by,
                  one.act.replace('.', ': ').replaceAll('_', ' '),
                  one.subject,
                  one.reason,
                  one.via === null ? '' : places[one.via],
                  <RecordLink key="record" of={one} />,
                ],
              }))}
              empty={<NothingFound to="/audit" next={next} />}
            />
            <Paging to="/audit" wanted={wanted} next={next} />
          </>
        )}
      </Asked>
    </Page>
  )
}

/** A ruling leads to the turn of its call; everything else to its record. */
function RecordLink({ of: { id, seq, turn } }: { readonly of: Audited }) {
  if (turn !== null)
    return (
      <Link to="/turns/$id" params={{ id: turn }}>
        {turn}
      </Link>
    )
  return (
    <Link to="/decisions" search={{ q: id }}>
      {`record ${seq}`}
    </Link>
  )
}
