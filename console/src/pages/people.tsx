import type { peopleSchema, personSchema } from '@turnward/contract/api/people'
import { useMutation } from '@tanstack/react-query'
import { Link, useParams, useSearch } from '@tanstack/react-router'
import type { z } from 'zod'
import { change, read } from '../api.ts'
import { Asked, Page, Refused, Time, useMe, useReadAgain } from '../parts.tsx'
import { Table } from '../table.tsx'

type Person = z.output<typeof personSchema>

const atOnce = 100

/** What stands in the address of the page. */
export function afterIn({ after }: Record<string, unknown>): { readonly after?: string } {
  return typeof after === 'string' ? { after } : {}
}

export function PeoplePage() {
  const { after = '' } = useSearch({ from: '/people' })
  const query = new URLSearchParams({ after, limit: String(atOnce) }).toString()
  return (
    <Page title="People">
      <Asked options={{ queryKey: ['people', after], queryFn: () => read<z.output<typeof peopleSchema>>(`/api/people?${query}`) }}>
        {({ people }) => (
          <>
            <Table
              caption="People and workloads that are known, by their ids"
              columns={['Id', 'Name', 'Kind', 'From', 'Status', 'Seen']}
              rows={people.map(({ id, name, kind, issuer, status, seen }) => ({
                key: id,
                cells: [
                  <Link key="to" to="/people/$id" params={{ id }}>
                    {id}
                  </Link>,
                  name ?? '',
                  kind,
                  issuer ?? 'here',
                  status,
                  <Time key="seen" at={seen} />,
                ],
              }))}
              empty={
                <p>
                  {after === ''
                    ? 'Nobody has signed in yet. Whoever does, or is made by a directory, stands here.'
                    : 'Nobody comes after that.'}
                </p>
              }
            />
            <p className="buttons">
              {after === '' ? null : (
                <Link to="/people" search={{}} className="button quiet">
                  From the beginning
                </Link>
              )}
              {people.length < atOnce ? null : (
                <Link to="/people" search={{ after: people.at(-1)?.id }} className="button quiet">
                  More
                </Link>
              )}
            </p>
          </>
        )}
      </Asked>
    </Page>
  )
}

export function PersonPage() {
  const { id } = useParams({ from: '/people/$id' })
  const path = `/api/people/${encodeURIComponent(id)}`
  return (
    <Page title={id}>
      <Asked options={{ queryKey: ['people', 'one', id], queryFn: () => read<Person>(path) }}>
        {(person) => <OnePerson person={person} path={path} />}
      </Asked>
    </Page>
  )
}

function OnePerson({ person, path }: { readonly person: Person; readonly path: string }) {
  const who = useMe()
  const readAgain = useReadAgain()
  const { id, name, kind, issuer, emails, status, roles, groups, created, seen } = person
  const isActive = status === 'active'
  const changing = useMutation({
    mutationFn: async () => {
      if (who.data === undefined) throw new Error('Who you are is still being read. Try again.')
      await change(who.data, 'PATCH', path, { active: !isActive })
      await readAgain()
    },
  })
  const why = who.data?.roles.includes('admin') !== true ? 'Shutting somebody out needs the role admin.' : undefined
  const isOff = why !== undefined || changing.isPending
  return (
    <>
      <dl>
        <dt>Name</dt>
        <dd>{name ?? 'not known'}</dd>
        <dt>Kind</dt>
        <dd>{kind}</dd>
        <dt>Spoken for by</dt>
        <dd>{issuer ?? 'this gateway'}</dd>
        <dt>Addresses</dt>
        <dd>{emails.length === 0 ? 'none' : emails.join(', ')}</dd>
        <dt>Groups</dt>
        <dd>{groups.length === 0 ? 'none' : groups.map(({ origin, group }) => `${group} (${origin})`).join(', ')}</dd>
        <dt>Roles</dt>
        <dd>{roles.length === 0 ? 'none in the store' : roles.join(', ')}</dd>
        <dt>Status</dt>
        <dd>{status}</dd>
        <dt>Known since</dt>
        <dd>
          <Time at={created} />
        </dd>
        <dt>Last seen</dt>
        <dd>
          <Time at={seen} />
        </dd>
      </dl>
      {why === undefined ? null : <p id="why-not">{why}</p>}
      <p>
        <button
          type="button"
          aria-disabled={isOff}
          aria-describedby="why-not"
          onClick={() => {
            if (!isOff) changing.mutate()
          }}
        >
          {isActive ? `Shut ${id} out` : `Let ${id} in again`}
        </button>
      </p>
      {changing.error === null ? null : <Refused error={changing.error} />}
    </>
  )
}
