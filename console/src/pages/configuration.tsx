/** The configuration by kinds of objects: those of the file, and those that are managed here. */
import type { configObjectsSchema, kindsSchema } from '@turnward/contract/api/config'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import type { z } from 'zod'
import { read } from '../api.ts'
import { Asked, Page } from '../parts.tsx'
import { Table } from '../table.tsx'

type Kinds = z.output<typeof kindsSchema>

const kinds = { queryKey: ['config'], queryFn: () => read<Kinds>('/api/config') }

export function ConfigurationPage() {
  return (
    <Page title="Configuration">
      <p className="buttons">
        <Link to="/configuration/history" className="button quiet">
          History
        </Link>
      </p>
      <Asked options={kinds}>
        {({ kinds: all, revision, running }) => (
          <>
            <Running revision={revision} running={running} />
            <Table
              caption="What there is, by kind"
              columns={['Kind', 'What', 'Objects', 'Managed here']}
              rows={all.map(({ kind, about, objects, managed }) => ({
                key: kind,
                cells: [
                  <Link key="to" to="/configuration/$kind" params={{ kind }}>
                    {kind}
                  </Link>,
                  about,
                  objects,
                  managed,
                ],
              }))}
              empty={<p>This gateway knows no kinds of objects.</p>}
            />
          </>
        )}
      </Asked>
    </Page>
  )
}

function Running({ revision, running }: Pick<Kinds, 'revision' | 'running'>) {
  const { configuration, revision: runs, left_out: leftOut, holds_calls: holdsCalls, problem } = running
  return (
    <>
      {problem === undefined ? null : (
        <p role="alert" className="refused">
          The newest configuration was not taken, and the one before goes on running: {problem}
        </p>
      )}
      {leftOut.length === 0 ? null : (
        <p role="alert" className="refused">
          Not used, because it does not go with the file: {leftOut.join(', ')}.
          {holdsCalls ? ' One of them restricts calls, so no call goes on until that is mended.' : ''}
        </p>
      )}
      <dl>
        <dt>Runs</dt>
        <dd>{configuration}</dd>
        <dt>Managed here</dt>
        <dd>{revision === 0 ? 'nothing was changed yet' : `revision ${runs}${runs === revision ? '' : ` of ${revision}`}`}</dd>
      </dl>
    </>
  )
}

/** What stands in the address of the page. */
export function nameIn({ after }: Record<string, unknown>): { readonly after?: string } {
  return typeof after === 'string' ? { after } : {}
}

export function KindPage() {
  const { kind } = useParams({ from: '/configuration/$kind' })
  const { after } = useSearch({ from: '/configuration/$kind' })
  const query = after === undefined ? '' : `?${new URLSearchParams({ after }).toString()}`
  const path = `/api/config/${encodeURIComponent(kind)}${query}`
  return (
    <Page title={`Configuration: ${kind}`}>
      <Adding kind={kind} />
      <Asked options={{ queryKey: ['config', kind, query], queryFn: () => read<z.output<typeof configObjectsSchema>>(path) }}>
        {({ objects, next }) => (
          <>
            <Table
              caption={`All ${kind}`}
              columns={['Name', 'Managed', 'Place']}
              rows={objects.map(({ name, managed, place }) => ({
                key: name,
                cells: [
                  <Link key="to" to="/configuration/$kind/$name" params={{ kind, name }}>
                    {name}
                  </Link>,
                  managed === 'file' ? 'in the file' : 'here',
                  managed === 'file' && place !== undefined ? `${place.source}:${place.line}` : place === undefined ? 'not in use' : '',
                ],
              }))}
              empty={<p>There are none. Name one above to make it.</p>}
            />
            {next === undefined ? null : (
              <p>
                <Link to="/configuration/$kind" params={{ kind }} search={{ after: next }} className="button quiet">
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

function Adding({ kind }: { readonly kind: string }) {
  const navigate = useNavigate()
  const [name, setName] = useState('')
  const make = (): void => void navigate({ to: '/configuration/$kind/$name', params: { kind, name } })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        make()
      }}
    >
      <label>
        Name of a new one
        <input required maxLength={128} value={name} onChange={({ target }) => setName(target.value)} />
      </label>
      <p>
        <button type="submit">Make it</button>
      </p>
    </form>
  )
}
