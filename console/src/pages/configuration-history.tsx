/** Who changed what is managed here, when and why; and the way back. */
import type { configRevisionSchema, configRevisionsSchema } from '@turnward/contract/api/config'
import { Link, useParams, useSearch } from '@tanstack/react-router'
import type { z } from 'zod'
import { read } from '../api.ts'
import { Changes } from '../configuration/changes.tsx'
import { Confirming } from '../configuration/confirming.tsx'
import { Asked, Page, Time, useMe } from '../parts.tsx'
import { Table } from '../table.tsx'

type Revision = z.output<typeof configRevisionSchema>

/** What stands in the address of the page. */
export function beforeIn({ before }: Record<string, unknown>): { readonly before?: number } {
  return typeof before === 'number' ? { before } : {}
}

export function HistoryPage() {
  const { before } = useSearch({ from: '/configuration/history' })
  const query = before === undefined ? '' : `?before=${before}`
  return (
    <Page title="History of the configuration">
      <p>Changes that were made here or over the API. Those of the file are in its own history.</p>
      <Asked
        options={{
          queryKey: ['config', 'revisions', query],
          queryFn: () => read<z.output<typeof configRevisionsSchema>>(`/api/config/revisions${query}`),
        }}
      >
        {({ revisions, next }) => (
          <>
            <Table
              caption="Revisions, the newest first"
              columns={['Revision', 'When', 'By', 'Why', 'What']}
              rows={revisions.map(({ revision, made, by, reason, summary }) => ({
                key: String(revision),
                cells: [
                  <Link key="to" to="/configuration/history/$number" params={{ number: String(revision) }}>
                    {revision}
                  </Link>,
                  <Time key="made" at={made} />,
                  by,
                  reason ?? '',
                  summary,
                ],
              }))}
              empty={
                <p>
                  Nothing was changed here yet. <Link to="/configuration">To the configuration</Link>
                </p>
              }
            />
            {next === undefined ? null : (
              <p>
                <Link to="/configuration/history" search={{ before: next }} className="button quiet">
                  Older
                </Link>
              </p>
            )}
          </>
        )}
      </Asked>
    </Page>
  )
}

export function RevisionPage() {
  const { number } = useParams({ from: '/configuration/history/$number' })
  const path = `/api/config/revisions/${encodeURIComponent(number)}`
  return (
    <Page title={`Revision ${number}`}>
      <p>
        <Link to="/configuration/history">All revisions</Link>
      </p>
      <Asked options={{ queryKey: ['config', 'revisions', 'one', number], queryFn: () => read<Revision>(path) }}>
        {(revision) => <OneRevision revision={revision} path={path} />}
      </Asked>
    </Page>
  )
}

function OneRevision({ revision: { revision, made, by, reason, changes }, path }: { readonly revision: Revision; readonly path: string }) {
  const { data: me } = useMe()
  const why = me?.roles.includes('admin') === true ? undefined : 'Going back needs the role admin.'
  return (
    <>
      <dl>
        <dt>When</dt>
        <dd>
          <Time at={made} />
        </dd>
        <dt>By</dt>
        <dd>{by}</dd>
        <dt>Why</dt>
        <dd>{reason ?? 'was not said'}</dd>
      </dl>
      <h2>What it changed</h2>
      {changes === undefined ? <p>The revision before it is not kept any more.</p> : <Changes changes={changes} />}
      <h2>Go back to it</h2>
      <Confirming
        id={`to ${revision}`}
        label={`Go back to revision ${revision}`}
        why={why}
        request={() => ({ method: 'POST', path: `${path}/rollback` })}
      />
    </>
  )
}
