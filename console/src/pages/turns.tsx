/** Turns and sessions, those that began last first, narrowed to what stands in the address of the page. */
import type { sessionSchema, sessionsSchema, turnsSchema } from '@turnward/contract/api/turns'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import type { z } from 'zod'
import { read } from '../api.ts'
import { Filters, queryOf, wordsIn, type FilterField, type Wanted } from '../filters.tsx'
import { NothingFound, Paging } from '../paging.tsx'
import { Asked, Page, Time } from '../parts.tsx'
import { SavedFilters } from '../saved-filters.tsx'
import { Table } from '../table.tsx'
import { TurnTable } from '../turns/turn-table.tsx'
import { labelText, moneyText, totalsText } from '../words.ts'

const listed: readonly FilterField[] = [
  { name: 'principal', label: 'Person' },
  { name: 'agent', label: 'Agent' },
  { name: 'model', label: 'Model' },
  { name: 'tool', label: 'Tool' },
  {
    name: 'action',
    label: 'Something was',
    options: { refuse: 'refused', observe: 'let through that would be refused', hold: 'held for a person' },
  },
  { name: 'label', label: 'Trust it has had' },
  { name: 'from', label: 'From', type: 'datetime-local' },
  { name: 'to', label: 'To', type: 'datetime-local' },
]
const ofTurns: readonly FilterField[] = [...listed, { name: 'session', label: 'Session' }]

/** What stands in the address of a list. */
export const turnsIn = wordsIn([...ofTurns.map(({ name }) => name), 'cursor'])

export function TurnsPage() {
  const wanted = useSearch({ from: '/turns' })
  const navigate = useNavigate({ from: '/turns' })
  const query = queryOf(wanted)
  return (
    <Page title="Turns">
      <Filters fields={ofTurns} wanted={wanted} onWant={(search) => void navigate({ search })} />
      <SavedFilters to="/turns" wanted={wanted} known={turnsIn} />
      <Asked options={{ queryKey: ['turns', query], queryFn: () => read<z.output<typeof turnsSchema>>(`/api/turns${query}`) }}>
        {({ turns, next }) => (
          <>
            <TurnTable
              caption="Turns, those that began last first"
              turns={turns}
              empty={<Nothing what="turn" wanted={wanted} next={next} />}
            />
            <Paging to="/turns" wanted={wanted} next={next} />
          </>
        )}
      </Asked>
    </Page>
  )
}

export function SessionsPage() {
  const wanted = useSearch({ from: '/sessions' })
  const navigate = useNavigate({ from: '/sessions' })
  const query = queryOf(wanted)
  return (
    <Page title="Sessions">
      <Filters fields={listed} wanted={wanted} onWant={(search) => void navigate({ search })} />
      <Asked options={{ queryKey: ['sessions', query], queryFn: () => read<z.output<typeof sessionsSchema>>(`/api/sessions${query}`) }}>
        {({ sessions, next }) => (
          <>
            <Table
              caption="Sessions, those that began last first"
              columns={['Begun', 'For', 'Turns', 'Refused', 'Label', 'Cost', 'Last']}
              rows={sessions.map(({ session, turns, principal, actor, refusals, label, totals, first, last }) => ({
                key: session,
                cells: [
                  <Link key="to" to="/sessions/$id" params={{ id: session }}>
                    <Time at={first} />
                  </Link>,
                  actor === null ? principal : `${principal}, by ${actor}`,
                  turns,
                  refusals === 0 ? '' : refusals,
                  label === null ? '' : labelText(label),
                  moneyText(totals.cost, totals.unpriced),
                  <Time key="last" at={last} />,
                ],
              }))}
              empty={<Nothing what="session" wanted={wanted} next={next} />}
            />
            <Paging to="/sessions" wanted={wanted} next={next} />
          </>
        )}
      </Asked>
    </Page>
  )
}

/** One thing to do, whatever the reason that there is nothing. */
function Nothing({ what, wanted, next }: { readonly what: 'turn' | 'session'; readonly wanted: Wanted; readonly next: string | null }) {
  if (next !== null || Object.keys(wanted).length > 0) return <NothingFound to={`/${what}s`} next={next} what={`No ${what}`} />
  return (
    <p>
      No agent has worked through this gateway yet. <Link to="/connect">Connect a client</Link>
    </p>
  )
}

export function SessionPage() {
  const { id } = useParams({ from: '/sessions/$id' })
  const path = `/api/sessions/${encodeURIComponent(id)}`
  return (
    <Page title="Session">
      <Asked options={{ queryKey: ['sessions', 'one', id], queryFn: () => read<z.output<typeof sessionSchema>>(path) }}>
        {({ session, principal, actor, first, last, turns, label, totals, latest }) => (
          <>
            <dl>
              <dt>Session</dt>
              <dd>{session}</dd>
              <dt>For</dt>
              <dd>{actor === null ? principal : `${principal}, by ${actor}`}</dd>
              <dt>Begun</dt>
              <dd>
                <Time at={first} />
              </dd>
              <dt>Last</dt>
              <dd>
                <Time at={last} />
              </dd>
              <dt>Used</dt>
              <dd>{totalsText(totals)}</dd>
              <dt>Label now</dt>
              <dd>{label === null ? 'none' : labelText(label)}</dd>
            </dl>
            <TurnTable caption="Its turns, those that began last first" turns={latest} empty={<p>It has no turn.</p>} />
            {turns <= latest.length ? null : (
              <p>
                <Link to="/turns" search={{ session }}>
                  All {turns} turns
                </Link>
              </p>
            )}
          </>
        )}
      </Asked>
    </Page>
  )
}
